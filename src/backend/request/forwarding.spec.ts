import type { IncomingMessage } from 'node:http';
import type { TokenPolicy } from '../../core/verify/index.js';
import { describe, expect, it } from 'vitest';
import {
  addBackendHeaders,
  requestContext,
  ReservedHeaders,
  withholdHeaders,
} from '../../http/index.js';
import { allowedHeaders, forwardedHeaders, forwardedQuery, type Forwarding } from './forwarding.js';

const request = (headers: IncomingMessage['headers'], url = '/'): IncomingMessage =>
  ({ headers, url }) as IncomingMessage;
const ALLOWED = allowedHeaders(['X-Tenant', 'Authorization', 'Cookie', 'X_User']);
const forwarded = (
  from: IncomingMessage,
  reserved = new ReservedHeaders(),
  more: Partial<Forwarding> = {},
  withToken = false,
): Record<string, unknown> => {
  const forwarding = { headers: ALLOWED, cookies: new Set<string>(), reserved, ...more };
  const { 'x-request-id': id, ...headers } = forwardedHeaders(
    from,
    { forwardedFor: true, ...forwarding },
    withToken,
  );
  expect(id).toBe(requestContext(from).id);
  return headers;
};
const NOTHING = { headers: [] };

describe('forwardedHeaders', () => {
  it('are the listed ones, whatever their case', () => {
    expect(forwarded(request({ 'x-tenant': 't', 'x-other': 'o', host: 'h' }))).toEqual({
      'x-tenant': 't',
    });
    expect(forwarded(request({ 'x-tenant': 't' }), undefined, NOTHING)).toEqual({});
  });

  it('are never those that were withheld', () => {
    const from = request({ authorization: 'Bearer x', cookie: 'a=b', 'x-tenant': 't' });
    withholdHeaders(from, ['authorization', 'cookie']);
    expect(forwarded(from)).toEqual({ 'x-tenant': 't' });
  });

  it('are never those that only the gateway writes, however they are spelt', () => {
    const from = request({ x_user: 'admin', 'x-tenant': 't' });
    const reserved = new ReservedHeaders();
    reserved.reserve('X-User');
    expect(forwarded(from, reserved)).toEqual({ 'x-tenant': 't' });
  });

  it.each([
    ['a=1; b=2', 'a=1; b=2'],
    ['a=1; __Host-access_token=x.y.z; __Host-refresh_token=x.y.z', 'a=1'],
    ['__Host-access_token=x', undefined],
    ['__Host-access_token =x;a=1', 'a=1'],
    ['my_token="x";__Host-access_token; a=1', 'a=1'],
    ['my_token2=1; My_token=2; b=my_token=3', 'my_token2=1; My_token=2; b=my_token=3'],
    ['; ;', undefined],
  ])('hold no cookie with a token: %s', (cookie, expected) => {
    const reserved = new ReservedHeaders();
    reserved.reserveCookie('my_token');
    expect(forwarded(request({ cookie }), reserved)).toEqual(
      expected === undefined ? {} : { cookie: expected },
    );
  });

  it.each([
    ['X-Tenant', { cookie: 'c', authorization: 'a' }],
    ['keep-alive, x-tenant , Cookie', { authorization: 'a' }],
    ['close', { 'x-tenant': 't', cookie: 'c', authorization: 'a' }],
    [undefined, { 'x-tenant': 't', cookie: 'c', authorization: 'a' }],
  ])('are none that Connection names: %s (RFC 9110 section 7.6.1)', (connection, expected) => {
    const from = request({ connection, 'x-tenant': 't', cookie: 'c', authorization: 'a' });
    expect(forwarded(from)).toEqual(expected);
  });

  it('give way to those that were added', () => {
    const from = request({ 'x-tenant': 'of the client' });
    addBackendHeaders(from, { 'x-tenant': 'of a claim', 'x-user': '42' });
    expect(forwarded(from)).toEqual({ 'x-tenant': 'of a claim', 'x-user': '42' });
    expect(forwarded(from, undefined, NOTHING)).toEqual({
      'x-tenant': 'of a claim',
      'x-user': '42',
    });
  });
});

describe('whose request it is', () => {
  const from = (): IncomingMessage =>
    ({
      headers: { host: 'api.example', 'x-forwarded-for': 'forged', x_forwarded_for: 'forged' },
      url: '/',
      socket: { remoteAddress: '192.0.2.7' },
    }) as never;
  const headers = allowedHeaders(['X-Forwarded-For', 'X_Forwarded_For', 'X-Forwarded-Host']);

  it('is told, and what the client says of it is not', () => {
    expect(forwarded(from(), undefined, { headers })).toEqual({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-host': 'api.example',
      'x-forwarded-proto': 'http',
    });
  });

  it('is not told where that is off; then the list decides', () => {
    const off = { headers, forwardedFor: false };
    expect(forwarded(from(), undefined, off)).toEqual({
      'x-forwarded-for': 'forged',
      x_forwarded_for: 'forged',
    });
    expect(forwarded(from(), undefined, { ...off, headers: [] })).toEqual({});
  });
});

describe('cookies', () => {
  const cookie =
    'theme=dark; a=1;b="2";  token=t; __Host-access_token=x; __Host-refresh_token=y; =z; flag; a=3';
  const cookies = (names: string[], cookieKey?: string): unknown => {
    const from = request({ cookie });
    if (cookieKey !== undefined)
      requestContext(from).verified = { policy: { cookieKey } as TokenPolicy, claims: undefined };
    return forwarded(from, undefined, { headers: [], cookies: new Set(names) }).cookie;
  };

  it('are those that are listed, as they came', () => {
    expect(cookies(['theme', 'b'])).toBe('theme=dark; b="2"');
    expect(cookies(['a', 'flag', 'Theme'])).toBe('a=1; flag; a=3');
    expect(cookies(['none'])).toBeUndefined();
    expect(cookies([])).toBeUndefined();
  });

  it('are never those that hold a token', () => {
    expect(cookies(['token', 'theme'], 'token')).toBe('theme=dark');
    expect(cookies(['*'], 'token')).toBe('theme=dark; a=1; b="2"; flag; a=3');
    expect(cookies(['__Host-access_token', '__Host-refresh_token'])).toBeUndefined();
  });
});

describe('the token', () => {
  const verified = (
    headers: IncomingMessage['headers'],
    authHeaderName = 'authorization',
    cookieKey?: string,
  ): IncomingMessage => {
    const from = request(headers);
    from.rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
    requestContext(from).verified = {
      policy: { authHeaderName, cookieKey } as TokenPolicy,
      claims: { sub: '1' } as never,
    };
    withholdHeaders(from, [authHeaderName, 'cookie']);
    return from;
  };
  const sent = (from: IncomingMessage, withToken = true): unknown =>
    forwarded(from, undefined, undefined, withToken);

  it.each([
    [verified({ authorization: 'Bearer t' }), { authorization: 'Bearer t' }],
    [verified({ authorization: 'DPoP t' }), { authorization: 'DPoP t' }],
    [verified({ 'x-token': 't' }, 'x-token'), { 'x-token': 't' }],
    [verified({ cookie: 'k=t' }, 'authorization', 'k'), { authorization: 'Bearer t' }],
    [verified({}), {}],
  ])('goes along where the call says so', (from, expected) => {
    expect(sent(from, false)).toEqual({});
    expect(sent(from)).toEqual(expected);
  });

  it('is one that was verified, or none', () => {
    const open = request({ authorization: 'Bearer t' });
    expect(forwarded(open, undefined, NOTHING, true)).toEqual({});
    const refused = verified({ authorization: 'Bearer t' });
    const { policy } = requestContext(refused).verified ?? {};
    requestContext(refused).verified = { policy: policy as TokenPolicy, claims: undefined };
    expect(sent(refused)).toEqual({});
  });
});

describe('forwardedQuery', () => {
  it.each([
    ['/a', ''],
    ['/a?', ''],
    ['/a?evil=1', ''],
    ['/a?lang=de', 'lang=de'],
    ['/a?lang=de&evil=1&page=1&page=2', 'lang=de&page=1&page=2'],
    ['/a?Lang=de', ''],
    ['/a?l%61ng=d%65', 'lang=de'],
    ['/a?lang=a%26evil=1', 'lang=a%26evil%3D1'],
    ['/a?lang=a b#c', 'lang=a+b%23c'],
    ['/a?x?lang=de', ''],
  ])('of %s is %j', (url, expected) => {
    expect(forwardedQuery(request({}, url), ['lang', 'page'])).toBe(expected);
  });

  it('is nothing where nothing is listed', () => {
    expect(forwardedQuery(request({}, '/a?lang=de'), [])).toBe('');
  });
});
