import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  isSameOrigin,
  normalizeUrl,
  requestBase,
  requestPath,
  requestUrl,
  type AddressedRequest,
  type Addressing,
} from './request-url.js';

describe('normalizeUrl', () => {
  it.each([
    ['https://gw.example', 'https://gw.example/'],
    ['HTTPS://GW.Example/Path', 'https://gw.example/Path'],
    ['https://gw.example:443/', 'https://gw.example/'],
    ['http://gw.example:80/', 'http://gw.example/'],
    ['http://gw.example:443/', 'http://gw.example:443/'],
    ['http://gw.example:/', 'http://gw.example/'],
    ['https://gw.example/a/./b/../c', 'https://gw.example/a/c'],
    ['https://gw.example/a/%2e%2E/c', 'https://gw.example/c'],
    ['https://gw.example/%7euser/%c3%a4', 'https://gw.example/~user/%C3%A4'],
    ['https://gw.example/%61%2F%2d', 'https://gw.example/a%2F-'],
    ['https://gw.example/a%zz', 'https://gw.example/a%zz'],
    ['https://gw.example/?q=1', 'https://gw.example/'],
    ['https://gw.example/a?q=1#f', 'https://gw.example/a'],
    ['https://gw.example/a#f?q', 'https://gw.example/a'],
    ['https://gw.example//a', 'https://gw.example//a'],
    ['https://gw.example/a/', 'https://gw.example/a/'],
    ['https://[2001:DB8::1]:8443/', 'https://[2001:db8::1]:8443/'],
  ])('%s is %s', (text, normal) => {
    expect(normalizeUrl(text)).toBe(normal);
    expect(normalizeUrl(normal)).toBe(normal);
  });

  it.each([
    '', 'x', '/path', '//gw.example/', 'ftp://gw.example/', 'javascript:alert(1)', 'https:/gw.example/',
    'https:gw.example', 'https://', 'https://u@gw.example/', 'https://u:p@gw.example/', ' https://gw.example/',
    'https://gw.example/ ', 'https://gw.example/a b', 'https://gw.example\\a', 'https://gw.example/\\..\\a',
    'https://gw.exa\tmple/', 'https://gw.example/\n', 'https://gw.example/ä', 'https://gw.example:99999/',
    'https://gw%2eexample:x/',
  ])('refuses %j', (text) => {
    expect(normalizeUrl(text)).toBeUndefined();
  }); // prettier-ignore
});

describe('requestUrl', () => {
  const DIRECT: Addressing = { trustsPeer: false };
  const PROXY: Addressing = { trustsPeer: true };
  const PUBLIC: Addressing = { publicUrl: 'https://Gateway.example:443/base/', trustsPeer: true };
  const url = (
    target: string,
    headers: Record<string, string>,
    addressing: Addressing,
    encrypted = false,
  ): string | undefined =>
    requestUrl(
      { url: target, headers, socket: { encrypted } } as unknown as AddressedRequest,
      addressing,
    );
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gw.example' };

  it.each<[string, string, Record<string, string>, Addressing, string | undefined]>([
    ['what the client addressed', '/a?b', { host: 'Gw:8080' }, DIRECT, 'http://gw:8080/a'],
    ['no header of a stranger', '/a', { host: 'gw', ...forwarded }, DIRECT, 'http://gw/a'],
    ['what a trusted proxy tells', '/a', { host: 'inner:8080', ...forwarded }, PROXY, 'https://gw.example/a'],
    ['the first of several proxies', '/a', { host: 'inner', 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'gw.example, inner' }, PROXY, 'https://gw.example/a'],
    ['the own host, where a proxy tells the scheme only', '/a', { host: 'gw', 'x-forwarded-proto': 'https' }, PROXY, 'https://gw/a'],
    ['a proxy that tells nothing', '/a', { host: 'gw', 'x-forwarded-proto': '' }, PROXY, 'http://gw/a'],
    ['the public URL, whatever the headers say', '/a', { host: 'inner', 'x-forwarded-host': 'evil' }, PUBLIC, 'https://gateway.example/base/a'],
    ['the public URL for the root', '/', { host: 'inner' }, PUBLIC, 'https://gateway.example/base/'],
    ['a target in absolute form', 'http://gw.example/a?b', { host: 'evil' }, DIRECT, 'http://gw.example/a'],
    ['a target in absolute form without a path', 'http://gw.example', { host: 'evil' }, DIRECT, 'http://gw.example/'],
    ['a target in absolute form, below the public URL', 'http://inner/a', { host: 'inner' }, PUBLIC, 'https://gateway.example/base/a'],
    ['a path that looks like a host', '//evil.example/a', { host: 'gw' }, DIRECT, 'http://gw//evil.example/a'],
    ['no host', '/a', {}, DIRECT, undefined],
    ['a host that would hide the path', '/a', { host: 'gw/other?' }, DIRECT, undefined],
    ['a host that would hide the path in a fragment', '/a', { host: 'gw/other#' }, DIRECT, undefined],
    ['a host with a user', '/a', { host: 'gw@evil' }, DIRECT, undefined],
    ['a host of a proxy that would hide the path', '/a', { host: 'gw', 'x-forwarded-host': 'gw/b?' }, PROXY, undefined],
    ['a scheme that is none', '/a', { host: 'gw', 'x-forwarded-proto': 'ftp' }, PROXY, undefined],
    ['a scheme that would hide the host', '/a', { host: 'gw', 'x-forwarded-proto': 'https://evil/?' }, PROXY, undefined],
    ['an absolute target with a user', 'http://u@gw/a', { host: 'gw' }, DIRECT, undefined],
    ['an IPv6 address', '/a', { host: '[::1]:8080' }, DIRECT, 'http://[::1]:8080/a'],
  ])('is %s', (_name, target, headers, addressing, expected) => {
    expect(url(target, headers, addressing)).toBe(expected);
  }); // prettier-ignore

  it('is https where the connection is, and what the target was before a router cut it', () => {
    expect(url('/a', { host: 'gw' }, DIRECT, true)).toBe('https://gw/a');
    const request = { url: '/a', originalUrl: '/mounted/a', headers: { host: 'gw' }, socket: {} };
    expect(requestUrl(request as unknown as AddressedRequest, DIRECT)).toBe('http://gw/mounted/a');
  });
});

describe('requestPath', () => {
  it.each([
    ['/a/b?c=d', '/a/b'],
    ['/', '/'],
    ['http://gw.example/a?b', '/a'],
    ["/a%22b/~.-_!$&'()*+,;=:@", "/a%22b/~.-_!$&'()*+,;=:@"],
    // A client may send these characters, which would end a quoted string or a line.
    ['/a"b', undefined],
    ['/a\\b', undefined],
    ['/a\tb', undefined],
    ['*', undefined],
    ['', undefined],
    ['a', undefined],
  ])('of %j is %j', (url, path) => {
    expect(requestPath({ url, headers: {}, socket: {} } as AddressedRequest)).toBe(path);
  });

  it('is the whole one, where a router took a part away', () => {
    const request = { url: '/b', originalUrl: '/a/b?c', headers: {}, socket: {} };
    expect(requestPath(request as AddressedRequest)).toBe('/a/b');
  });
});

describe('requestBase', () => {
  const base = (url: string, host: string, publicUrl?: string): string | undefined =>
    requestBase({ url, headers: { host }, socket: {} } as AddressedRequest, {
      publicUrl,
      trustsPeer: false,
    });
  it('is the public URL, or what the client addressed', () => {
    expect(base('/a', 'gw:8080')).toBe('http://gw:8080');
    expect(base('http://proxied/a', 'gw:8080')).toBe('http://proxied');
    expect(base('/a', 'gw"x')).toBeUndefined();
    expect(base('/a', 'gw', 'https://gw.example/base/')).toBe('https://gw.example/base');
    expect(base('/a', 'gw', 'https://gw.example')).toBe('https://gw.example');
  });
});

describe('isSameOrigin', () => {
  const PROXY = { trustsPeer: true };
  const DIRECT = { trustsPeer: false };
  const PUBLIC = { publicUrl: 'https://GW.example:443/base', trustsPeer: false };
  const TRUSTING = { trustsPeer: false, trustedOrigins: ['https://app.example', 'app://x'] };
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gw.example' };

  it.each<[boolean, Record<string, string>, Parameters<typeof isSameOrigin>[1]]>([
    [true, { host: 'gw:8080', origin: 'http://gw:8080' }, DIRECT],
    [true, { host: 'GW:80', origin: 'http://gw' }, DIRECT],
    [true, { host: 'gw', origin: 'http://gw:80' }, DIRECT],
    [false, { host: 'gw', origin: 'https://gw' }, DIRECT],
    [false, { host: 'gw', origin: 'http://gw:8080' }, DIRECT],
    [false, { host: 'gw', origin: 'null' }, DIRECT],
    [false, { host: 'gw', origin: '' }, DIRECT],
    [false, { host: 'gw', origin: 'http://gw/' }, DIRECT],
    [false, { host: 'gw', origin: 'http://u@gw' }, DIRECT],
    [false, { host: 'gw', origin: 'http://gw, http://evil' }, DIRECT],
    [false, { host: 'gw' }, DIRECT],
    [false, {}, DIRECT],
    // Two invalid URLs are not the same origin.
    [false, { host: 'gw:99999', origin: 'http://gw:99999' }, DIRECT],
    [false, { host: 'gw', origin: 'https://gw.example', ...forwarded }, DIRECT],
    [true, { host: 'gw', origin: 'https://gw.example', ...forwarded }, PROXY],
    [true, { host: 'gw.example', origin: 'https://gw.example', 'x-forwarded-proto': 'https' }, PROXY],
    [false, { host: 'gw', origin: 'http://gw', ...forwarded }, PROXY],
    [true, { host: 'inner', origin: 'https://gw.example' }, PUBLIC],
    [false, { host: 'inner', origin: 'http://inner' }, PUBLIC],
    [true, { host: 'gw', origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, TRUSTING],
    [true, { host: 'gw', origin: 'app://x' }, TRUSTING],
    [false, { host: 'gw', origin: 'app://y' }, TRUSTING],
    [true, { host: 'gw', origin: 'http://gw' }, TRUSTING],
    [true, { host: 'gw', 'sec-fetch-site': 'same-origin' }, DIRECT],
    [false, { host: 'gw', origin: 'http://gw', 'sec-fetch-site': 'same-site' }, DIRECT],
    [false, { host: 'gw', 'sec-fetch-site': 'none' }, DIRECT],
  ])('is %s for %j', (expected, headers, own) => {
    const request = (method: string): IncomingMessage =>
      ({ method, url: '/', headers, socket: {} }) as unknown as IncomingMessage;
    expect(isSameOrigin(request('POST'), own)).toBe(expected);
    expect(isSameOrigin(request('GET'), own)).toBe(true);
  }); // prettier-ignore
});
