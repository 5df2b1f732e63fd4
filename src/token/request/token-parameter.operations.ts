import type { OperationInfo } from '../../routes/index.js';

const SCHEMA = {
  title: 'TokenParameters',
  type: 'object',
  required: ['token'],
  properties: {
    token: { type: 'string' },
    token_type_hint: { type: 'string' },
    client_id: { type: 'string' },
    client_secret: { type: 'string', format: 'password' },
  },
};

/** The request body of RFC 7009 section 2.1 and RFC 7662 section 2.1 in the OpenAPI document. */
export const TOKEN_PARAMETER_BODY: OperationInfo['body'] = {
  required: true,
  content: { 'application/x-www-form-urlencoded': SCHEMA, 'application/json': SCHEMA },
};
