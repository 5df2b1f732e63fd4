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
        'Present while the state store accepts no writes: tokens are validated, but nothing is refreshed or revoked.',
    },
  },
};

/** `GET /health/live` in the OpenAPI document. */
export const GET_LIVENESS: OperationInfo = {
  id: 'getLiveness',
  summary: 'Liveness: whether the process answers.',
  answers: { 200: { description: 'The process is alive.', schema: STATUS } },
};

/** `GET /health/ready` in the OpenAPI document. */
export const GET_READINESS: OperationInfo = {
  id: 'getReadiness',
  summary: 'Readiness: whether the process can serve requests.',
  answers: { 200: { description: 'The process is ready.', schema: READINESS } },
  errors: { 503: ['shutting_down', 'keys_unavailable', 'state_unavailable'] },
};
