import type { OperationInfo } from '../routes/index.js';

const STATUS = { type: 'object', properties: { status: { type: 'string', enum: ['ok'] } } };

/** `GET /health/live` in the OpenAPI document. */
export const GET_LIVENESS: OperationInfo = {
  summary: 'The process answers.',
  answers: { 200: { description: 'It does.', schema: STATUS } },
};

/** `GET /health/ready` in the OpenAPI document. */
export const GET_READINESS: OperationInfo = {
  summary: 'The process should get requests.',
  answers: { 200: { description: 'It should.', schema: STATUS } },
  errors: { 503: ['shutting_down', 'keys_unavailable', 'state_unavailable'] },
};
