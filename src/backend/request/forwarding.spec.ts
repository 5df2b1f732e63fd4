import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addBackendHeaders, ReservedHeaders, withholdHeaders } from '../../http/index.js';
import { allowedHeaders, forwardedHeaders, forwardedQuery } from './forwarding.js';

const request = (headers: IncomingMessage['headers'], url = '/'): IncomingMessage =>
  ({ headers, url }) as IncomingMessage;
const ALLOWED = allowedHeaders(['X-Tenant', 'Authorization', 'Cookie', 'X_User']);
const forwarded = (
  from: IncomingMessage,
  reserved = new ReservedHeaders(),
): Record<string, unknown> => forwardedHeaders(from, ALLOWED, reserved);

describe('forwardedHeaders', () => {
  it('are the listed ones, whatever their case', () => {
    expect(forwarded(request({ 'x-tenant': 't', 'x-other': 'o', host: 'h' }))).toEqual({
      'x-tenant': 't',
    });
    expect(forwardedHeaders(request({ 'x-tenant': 't' }), [], new ReservedHeaders())).toEqual({});
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
    expect(forwardedHeaders(from, [], new ReservedHeaders())).toEqual({
      'x-tenant': 'of a claim',
      'x-user': '42',
    });
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
