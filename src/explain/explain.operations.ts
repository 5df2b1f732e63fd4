import type { OperationInfo } from '../routes/index.js';

const TOKEN = {
  title: 'ExplainRequest',
  type: 'object',
  required: ['token'],
  properties: {
    token: { type: 'string' },
    route: {
      type: 'string',
      description: 'The route whose rule counts. Default: that of a bare `@RequireJwt()`.',
      example: 'GET /private/custom',
    },
  },
};

/** `POST /_explain` in the OpenAPI document. */
export const EXPLAIN_TOKEN: OperationInfo = {
  id: 'explainToken',
  summary: 'Why a token is accepted or refused, check by check.',
  body: {
    required: true,
    content: { 'application/json': TOKEN, 'application/x-www-form-urlencoded': TOKEN },
  },
  answers: {
    200: { description: 'The verdict.', schema: { title: 'Explanation', type: 'object' } },
  },
  errors: { 503: ['keys_unavailable', 'state_unavailable'] },
};
