import type { OperationInfo } from '../routes/index.js';

/** `GET /.well-known/jwks.json` in the OpenAPI document. */
export const GET_JWKS: OperationInfo = {
  id: 'getJwks',
  summary: 'The public keys (RFC 7517), for services that verify tokens themselves.',
  answers: {
    200: {
      description: 'A JWK Set; empty where all keys are secrets.',
      schema: {
        title: 'JwkSet',
        type: 'object',
        properties: { keys: { type: 'array', items: { type: 'object' } } },
      },
    },
    304: { description: 'It is what If-None-Match names.' },
  },
  endpoint: 'jwks',
};
