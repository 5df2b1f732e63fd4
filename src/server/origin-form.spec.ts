import { describe, expect, it } from 'vitest';
import { toOriginForm } from './origin-form.js';

describe('toOriginForm', () => {
  it.each([
    ['/token', '/token', 'header'],
    ['/token?a=1', '/token?a=1', 'header'],
    ['/token#x', '/token', 'header'],
    ['/token?a=1#x?y', '/token?a=1', 'header'],
    ['/#', '/', 'header'],
    ['//token', '//token', 'header'],
    ['http://gw/token', '/token', 'gw'],
    ['HTTPS://gw:8443/token?a=http://b#x', '/token?a=http://b', 'gw:8443'],
    ['http://[::1]:80/', '/', '[::1]:80'],
    ['http://gw', '/', 'gw'],
    ['http://gw?a=1', '/?a=1', 'gw'],
    ['http://gw#x', '/', 'gw'],
    ['http:///token', '/token', ''],
    ['http://gw//token', '//token', 'gw'],
    ['http://user@gw/token', '/token', 'user@gw'],
    ['*', '*', 'header'],
    ['', '', 'header'],
  ])('of %j is %j, addressed to %j', (url, expected, host) => {
    const request = { url, headers: { host: 'header' } };
    toOriginForm(request);
    expect([request.url, request.headers.host]).toEqual([expected, host]);
  });
});
