import type { OperationInfo } from '../routes/index.js';
import { TOKEN_PARAMETER_BODY } from './token-parameter.operations.js';

/** `POST /token/introspect` in the OpenAPI document. */
export const INTROSPECT_TOKEN: OperationInfo = {
  summary: 'Whether a token is active, and what it says (RFC 7662).',
  body: TOKEN_PARAMETER_BODY,
  answers: {
    200: {
      description: 'Claims of an active token; of any other only `active: false`.',
      schema: {
        type: 'object',
        required: ['active'],
        properties: { active: { type: 'boolean' } },
        additionalProperties: true,
      },
    },
  },
  errors: { 400: ['parameter_repeated'] },
};
