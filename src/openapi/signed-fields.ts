import type { OpenAPIObject } from '@nestjs/swagger';
import type { SigningPolicy } from '../core/sign/index.js';
import type { ErrorCodes, OperationObject } from './document-types.js';

/** Errors of signing. */
export const SIGNING_ERRORS: ErrorCodes = {
  502: [
    'sign_target_missing',
    'sign_target_invalid',
    'claims_expired',
    'claims_invalid',
    'token_too_large',
  ],
  503: ['keys_unavailable'],
};

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  [keyword: string]: unknown;
}

/** Replaces the schema of each signed field in the 2xx answers by that of a JWT: a string. */
export function addSignedFields(
  document: OpenAPIObject,
  operation: OperationObject,
  { fields, requireAll, field }: SigningPolicy,
): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!/^2\d\d$/.test(status) || response === undefined || '$ref' in response) continue;
    const json = response.content?.['application/json'];
    let schema = resolve(document, json?.schema as Schema | undefined);
    for (const name of fields) {
      const { typ, full } = field(name).format;
      const token = {
        type: 'string',
        format: 'jwt',
        description: `string (JWT): ${full ? 'flattened JWS JSON' : 'compact JWS'}, typ \`${typ}\``,
      };
      schema = withField(document, schema, name.split('.'), token, requireAll);
    }
    response.content = { ...response.content, 'application/json': { ...json, schema } };
  }
}

/** A copy of `schema` with `token` at the path. It is a copy because other routes may share the schema. */
function withField(
  document: OpenAPIObject,
  schema: Schema,
  [name = '', ...rest]: readonly string[],
  token: Schema,
  required: boolean,
): Schema {
  const inner =
    rest.length === 0
      ? token
      : withField(document, resolve(document, schema.properties?.[name]), rest, token, required);
  const copy = { ...schema, properties: { ...schema.properties, [name]: inner } };
  return required ? { ...copy, required: [...new Set([...(copy.required ?? []), name])] } : copy;
}

function resolve(document: OpenAPIObject, schema: Schema = { type: 'object' }): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : ((document.components?.schemas?.[name] ?? {}) as Schema);
}
