import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import {
  addBackendHeaders,
  markLogin,
  requestContext,
  requestContextMiddleware,
  withholdHeaders,
} from './index.js';

const request = (id?: string | string[]): IncomingMessage =>
  ({ headers: { 'x-request-id': id } }) as unknown as IncomingMessage;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('requestContext', () => {
  it('is made by the first who asks, and is the same one from then on', () => {
    const one = request();
    const context = requestContext(one);
    expect(context).toMatchObject({
      id: expect.stringMatching(UUID) as string,
      refusal: undefined,
      login: false,
      withheldHeaders: [],
      backendHeaders: undefined,
      verified: undefined,
    });
    expect(requestContext(one)).toBe(context);
    expect(requestContext(request())).not.toBe(context);
  });

  it('cannot be reached, or made, by a member of the request', () => {
    const one = request();
    requestContext(one);
    expect(Object.keys(one)).toEqual(['headers']);
    expect(JSON.stringify(one)).toBe('{"headers":{}}');
    const forged = Object.assign(request(), { 'signet.request-context': { id: 'forged' } });
    expect(requestContext(forged).id).toMatch(UUID);
  });

  it.each(['abc-123', '7f2c:a/b=c@d+e', 'x'.repeat(128), 'ey'])('keeps the id %s', (id) => {
    expect(requestContext(request(id)).id).toBe(id);
  });

  it.each([
    undefined,
    '',
    'a b',
    'x'.repeat(129),
    'eyJhbGciOiJIUzI1NiJ9.e30.x',
    '<script>',
    'ü',
    'a\n',
    '"',
    ['a', 'b'],
  ])('replaces the id %j', (id) => {
    expect(requestContext(request(id)).id).toMatch(UUID);
  });

  it('collects what is withheld from backends and what is added', () => {
    const one = request();
    withholdHeaders(one, ['authorization']);
    withholdHeaders(one, ['cookie', 'x-key']);
    addBackendHeaders(one, { 'x-user': '1', 'x-realm': 'a' });
    addBackendHeaders(one, { 'x-user': '2' });
    markLogin(one);
    expect(requestContext(one)).toMatchObject({
      withheldHeaders: ['authorization', 'cookie', 'x-key'],
      backendHeaders: { 'x-user': '2', 'x-realm': 'a' },
      login: true,
    });
    expect(requestContext(request())).toMatchObject({ withheldHeaders: [], login: false });
  });
});

it('requestContextMiddleware tells the id, and goes on', () => {
  const setHeader = vi.fn<(name: string, value: string) => void>();
  const next = vi.fn<() => void>();
  requestContextMiddleware(request('r-1'), { setHeader } as unknown as ServerResponse, next);
  expect(setHeader.mock.calls).toEqual([['X-Request-Id', 'r-1']]);
  expect(next).toHaveBeenCalledOnce();
});
