import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { JwkKeyStore } from '../jwks/index.js';
import { JwksController } from './jwks.controller.js';

let jwks = { keys: [{ kty: 'EC', kid: 'a' }] };
const controller = new JwksController({ publicJwks: () => jwks } as unknown as JwkKeyStore);

function get(ifNoneMatch?: string) {
  const request = new IncomingMessage(new Socket());
  if (ifNoneMatch !== undefined) request.headers['if-none-match'] = ifNoneMatch;
  const response = new ServerResponse(request);
  const body = controller.jwks(request, response);
  return { status: response.statusCode, body, headers: response.getHeaders() };
}

describe('JwksController', () => {
  it('gives the public keys, for five minutes', () => {
    const { status, body, headers } = get();
    expect(status).toBe(200);
    expect(body).toBe('{"keys":[{"kty":"EC","kid":"a"}]}');
    expect(headers).toEqual({
      etag: expect.stringMatching(/^"[\w-]{43}"$/) as string,
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  it.each([
    ['the tag', (etag: string) => etag],
    ['the tag as a weak one', (etag: string) => `W/${etag}`],
    ['a list with the tag', (etag: string) => `"other" , ${etag}, W/"more"`],
    ['any', () => '*'],
  ])('says with %s that nothing has changed', (_what, ifNoneMatch) => {
    const etag = String(get().headers.etag);
    const { status, body, headers } = get(ifNoneMatch(etag));
    expect([status, body]).toEqual([304, undefined]);
    // RFC 9110 section 15.4.5: the headers that a cache goes by are those of a 200.
    expect(headers).toEqual({
      etag,
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    });
  });

  it.each(['', '"other"', 'W/"other"', 'tag', ','])('gives the keys for the tag %j', (tag) => {
    expect(get(tag).status).toBe(200);
  });

  it('has another tag for other keys', () => {
    const before = String(get().headers.etag);
    jwks = { keys: [...jwks.keys, { kty: 'EC', kid: 'b' }] };
    const { status, headers } = get(before);
    expect(status).toBe(200);
    expect(headers.etag).not.toBe(before);
  });
});
