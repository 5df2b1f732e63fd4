/** The body of RFC 7009 and RFC 7662, for the OpenAPI document. */
const SCHEMA = {
  type: 'object',
  required: ['token'],
  properties: { token: { type: 'string' }, token_type_hint: { type: 'string' } },
};

export const TOKEN_PARAMETER_BODY = {
  required: true,
  content: { 'application/x-www-form-urlencoded': SCHEMA, 'application/json': SCHEMA },
};
