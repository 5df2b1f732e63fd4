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
    ['/%74oken', '/token', 'header'],
    ['/private/%63%75stom?a=%63', '/private/custom?a=%63', 'header'],
    ['http://gw/%54%6F%6b%65%6E%5F%7e%2D%30', '/Token_~-0', 'gw'],
    ['/%2e%2E/%2f%3F%23%25%5B%5e%60%7b%40%3a', '/%2e%2E/%2f%3F%23%25%5B%5e%60%7b%40%3a', 'header'],
    ['/%2574oken', '/%2574oken', 'header'],
    ['/%C3%A4%', '/%C3%A4%', 'header'],
    ['*', '*', 'header'],
    ['', '', 'header'],
  ])('of %j is %j, addressed to %j', (url, expected, host) => {
    const request = { url, headers: { host: 'header' } };
    toOriginForm(request);
    expect([request.url, request.headers.host]).toEqual([expected, host]);
  });
});
