import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ClientRefusedException } from './client-refused.exception.js';
import { basicHeader, hasClientCredentials, presentedClient } from './presented-client.js';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object): string => `${encode({ alg: 'ES256' })}.${encode(claims)}.AAAA`;
const assertion = (claims: object): Record<string, string> => ({
  client_assertion_type: TYPE,
  client_assertion: jwt(claims),
});
const basic = (text: string): string[] => [`Basic ${Buffer.from(text).toString('base64')}`];

const requestOf = (authorization: readonly string[]): IncomingMessage =>
  ({
    headers: authorization.length === 0 ? {} : { authorization: authorization[0] },
    headersDistinct: { authorization },
  }) as unknown as IncomingMessage;

/** Method and id, or the code of the refusal. */
function read(form: Record<string, string>, authorization: readonly string[] = []): string {
  try {
    const { method, id = '-' } = presentedClient(requestOf(authorization), (name) => form[name]);
    return `${method} ${id}`;
  } catch (error) {
    if (error instanceof ClientRefusedException) return error.code;
    throw error;
  }
}

describe('the client that a request presents', () => {
  it.each<[Record<string, string>, string[], string]>([
    [{}, [], 'none -'],
    [{ client_id: '' }, [], 'none -'],
    [{ client_id: 'shop' }, [], 'none shop'],
    [{ client_id: 'shop', client_secret: '' }, [], 'none shop'],
    [{ client_id: 'shop', client_secret: 's' }, [], 'client_secret_post shop'],
    [{ client_secret: 's' }, [], 'client_secret_post -'],
    [{}, basic('shop:s'), 'client_secret_basic shop'],
    [{}, ['basic   c2hvcDpz '], 'client_secret_basic shop'],
    [{ client_id: 'shop' }, basic('shop:s'), 'client_secret_basic shop'],
    // Both halves are form-encoded (RFC 6749 section 2.3.1).
    [{}, basic('a%3Ab+c:s'), 'client_secret_basic a:b c'],
    [{}, basic('shop:a:b'), 'client_secret_basic shop'],
    [{}, basic('shop'), 'client_secret_basic -'],
    [{}, basic(':s'), 'client_secret_basic -'],
    [{}, basic('%zz:s'), 'client_secret_basic -'],
    [{}, basic('shop:%'), 'client_secret_basic -'],
    [{}, ['Basic'], 'client_secret_basic -'],
    [{}, ['Basic §§'], 'client_secret_basic -'],
    [{}, ['Bearer abc'], 'none -'],
    [{ client_id: 'shop' }, ['Basicx c2hvcDpz'], 'none shop'],
    [assertion({ iss: 'shop' }), [], 'private_key_jwt shop'],
    [{ ...assertion({ iss: 'shop' }), client_id: 'shop' }, [], 'private_key_jwt shop'],
    [assertion({ iss: 7 }), [], 'private_key_jwt -'],
    [{ client_assertion: jwt({ iss: 'shop' }) }, [], 'private_key_jwt -'],
    [{ client_assertion_type: TYPE, client_assertion: 'x' }, [], 'private_key_jwt -'],
    [{ client_assertion_type: TYPE, client_id: 'shop' }, [], 'none shop'],
    // Two methods, or two names.
    [{ client_id: 'shop', client_secret: 's' }, basic('shop:s'), 'client_ambiguous'],
    [assertion({ iss: 'shop' }), basic('shop:s'), 'client_ambiguous'],
    [{ ...assertion({ iss: 'shop' }), client_secret: 's' }, [], 'client_ambiguous'],
    [{ client_id: 'other' }, basic('shop:s'), 'client_ambiguous'],
    [{ ...assertion({ iss: 'shop' }), client_id: 'other' }, [], 'client_ambiguous'],
    [{}, [...basic('shop:s'), ...basic('other:s')], 'client_ambiguous'],
  ])('%j with %j: %s', (form, authorization, expected) => {
    expect(read(form, authorization)).toBe(expected);
  });

  it.each<[Record<string, string>, string[], boolean]>([
    [{}, [], false],
    [{ client_id: 'shop' }, [], false],
    [{ client_secret: '' }, [], false],
    [{ client_secret: 's' }, [], true],
    [{ client_assertion: 'x' }, [], true],
    [{}, ['Basic'], true],
    [{}, ['Bearer x'], false],
  ])('%j with %j has credentials: %s', (form, authorization, expected) => {
    expect(hasClientCredentials(requestOf(authorization), (name) => form[name])).toBe(expected);
  });

  it('is read from the header that is made of an id and a secret', () => {
    for (const [id, secret] of [
      ['shop', 'secret'],
      ['a:b', 'c:d e%+&='],
      ['https://ä', 'ü'],
    ] as const) {
      const presented = presentedClient(requestOf([basicHeader(id, secret)]), () => undefined);
      expect(presented).toEqual({ method: 'client_secret_basic', id, proof: secret });
    }
  });
});
