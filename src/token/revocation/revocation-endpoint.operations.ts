import type { OperationInfo } from '../../routes/index.js';
import { TOKEN_PARAMETER_BODY } from '../request/token-parameter.operations.js';

/** `POST /token/revoke` in the OpenAPI document. */
export const REVOKE_TOKEN: OperationInfo = {
  id: 'revokeToken',
  summary: 'Ends a token (RFC 7009); a refresh token takes its session with it.',
  description:
    'The token itself is the credential; a confidential client has to authenticate. An unknown token is no error.',
  body: TOKEN_PARAMETER_BODY,
  answers: { 200: { description: 'The token is no longer accepted.' } },
  errors: {
    400: ['parameter_repeated', 'client_ambiguous', 'client_mismatch'],
    401: ['client_unknown'],
    503: ['keys_unavailable', 'state_unavailable'],
  },
  endpoint: 'revocation',
};
