import type { OpenAPIObject } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { compileSigningPolicy, type SigningOptions } from '../core/sign/index.js';
import type { OperationObject } from './document-types.js';
import { addSignedFields } from './signed-fields.js';

const JWT = (typ: string, form = 'compact JWS') => ({
  type: 'string',
  format: 'jwt',
  description: `string (JWT): ${form}, typ \`${typ}\``,
});

/** The responses of an operation whose answers have `schema`, after its fields were added. */
function withFields(
  options: SigningOptions,
  schema?: object,
  schemas: Record<string, object> = {},
): OperationObject['responses'] {
  const document = { components: { schemas } } as unknown as OpenAPIObject;
  const content = schema === undefined ? undefined : { 'application/json': { schema } };
  const operation: OperationObject = {
    responses: { 200: { description: 'Done.', content }, 404: { description: 'Gone.' } },
  };
  addSignedFields(document, operation, compileSigningPolicy({}, options));
  return operation.responses;
}
const json = (schema: object) => ({
  description: 'Done.',
  content: { 'application/json': { schema } },
});

describe('addSignedFields', () => {
  it('shows the fields of the successful answers as JWTs, and of no other', () => {
    const responses = withFields({});
    expect(responses[200]).toEqual(
      json({
        type: 'object',
        properties: { access_token: JWT('JWT'), refresh_token: JWT('rt+jwt') },
      }),
    );
    expect(responses[404]).toEqual({ description: 'Gone.' });
  });

  it('says when fields are flattened JWS, and when each of them is there', () => {
    const responses = withFields(
      { fields: ['receipt'], full: true, typ: 'receipt+jwt', requireAllFields: true },
      { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
    );
    expect(responses[200]).toEqual(
      json({
        type: 'object',
        properties: { id: { type: 'integer' }, receipt: JWT('receipt+jwt', 'flattened JWS JSON') },
        required: ['id', 'receipt'],
      }),
    );
  });

  it('reaches nested fields, and makes the objects around them', () => {
    const properties = { data: { type: 'object', properties: { page: { type: 'integer' } } } };
    const responses = withFields(
      { fields: ['data.token', 'other.deep.token'] },
      { type: 'object', properties },
    );
    const holding = (inner: object) => ({ type: 'object', properties: inner });
    expect(responses[200]).toEqual(
      json(
        holding({
          data: holding({ page: { type: 'integer' }, token: JWT('JWT') }),
          other: holding({ deep: holding({ token: JWT('JWT') }) }),
        }),
      ),
    );
  });

  it('copies what it changes: other routes may share a schema', () => {
    const Order = { type: 'object', properties: { id: { type: 'integer' } } };
    const before = structuredClone(Order);
    const responses = withFields(
      { fields: ['receipt'] },
      { $ref: '#/components/schemas/Order' },
      { Order },
    );
    expect(responses[200]).toEqual(
      json({ type: 'object', properties: { id: { type: 'integer' }, receipt: JWT('JWT') } }),
    );
    expect(Order).toEqual(before);
  });

  it('leaves answers that are only referred to', () => {
    const operation: OperationObject = {
      responses: { 200: { $ref: '#/components/responses/Tokens' } },
    };
    const before = structuredClone(operation);
    addSignedFields({} as OpenAPIObject, operation, compileSigningPolicy({}, {}));
    expect(operation).toEqual(before);
  });
});
