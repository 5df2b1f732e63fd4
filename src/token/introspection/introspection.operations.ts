import type { OperationInfo } from '../../routes/index.js';
import { TOKEN_PARAMETER_BODY } from '../request/token-parameter.operations.js';

/** `POST /token/introspect` in the OpenAPI document. */
export const INTROSPECT_TOKEN: OperationInfo = {
  id: 'introspectToken',
  summary: 'Whether a token is active, and what it says (RFC 7662).',
  description:
    'For registered clients with credentials, and for tokens with one of the roles that may ask.',
  body: TOKEN_PARAMETER_BODY,
  answers: {
    200: {
      description: 'Claims of an active token; of any other only `active: false`.',
      schema: {
        title: 'Introspection',
        type: 'object',
        required: ['active'],
        properties: {
          active: { type: 'boolean' },
          token_use: { type: 'string', enum: ['access', 'refresh'] },
          token_type: { type: 'string', description: 'of access tokens' },
          client_id: { type: 'string' },
          username: { type: 'string' },
        },
        additionalProperties: true,
      },
    },
  },
  errors: {
    400: ['parameter_repeated', 'client_ambiguous'],
    401: ['client_unknown'],
    403: ['roles_missing'],
  },
  takesToken: true,
  endpoint: 'introspection',
};
