import type { OperationInfo } from '../routes/index.js';

/** `GET /.well-known/oauth-authorization-server` in the OpenAPI document. */
export const GET_SERVER_METADATA: OperationInfo = {
  summary: 'What clients need to know (RFC 8414).',
  answers: { 200: { description: 'Server metadata.', schema: { type: 'object' } } },
};
