import type { OperationInfo } from '../routes/index.js';

const OK = { type: 'string', enum: ['ok'] };
const STATUS = { title: 'Liveness', type: 'object', properties: { status: OK } };
const READINESS = {
  title: 'Readiness',
  type: 'object',
  properties: {
    status: OK,
    state: {
      type: 'string',
      enum: ['read-only'],
      description:
        'There while the state store takes no writes: tokens are validated, nothing is refreshed or revoked.',
    },
  },
};

/** `GET /health/live` in the OpenAPI document. */
export const GET_LIVENESS: OperationInfo = {
  id: 'getLiveness',
  summary: 'The process answers.',
  answers: { 200: { description: 'It does.', schema: STATUS } },
};

/** `GET /health/ready` in the OpenAPI document. */
export const GET_READINESS: OperationInfo = {
  id: 'getReadiness',
  summary: 'The process should get requests.',
  answers: { 200: { description: 'It should.', schema: READINESS } },
  errors: { 503: ['shutting_down', 'keys_unavailable', 'state_unavailable'] },
};
