import type { IncomingMessage } from 'node:http';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { forwardedFor, trustsPeer } from '../index.js';

const PEER = '192.0.2.7';

/** A request of a peer, in an Express application whose `trust proxy` is this. */
function request(
  headers: IncomingMessage['headers'],
  trustProxy: unknown = false,
  remoteAddress: string | undefined = PEER,
  encrypted = false,
): IncomingMessage {
  const app = express();
  app.set('trust proxy', trustProxy);
  return { app, headers, url: '/', socket: { remoteAddress, encrypted } } as never;
}

const FORGED = {
  host: 'api.example:8080',
  'x-forwarded-for': '10.0.0.1, 203.0.113.9',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
};

describe('forwardedFor', () => {
  it.each<[string, unknown, string]>([
    ['nobody', false, PEER],
    ['another address', ['192.0.2.8'], PEER],
    ['the peer', [PEER], `203.0.113.9, ${PEER}`],
    ['one hop', 1, `203.0.113.9, ${PEER}`],
    ['two proxies', [PEER, '203.0.113.9'], `10.0.0.1, 203.0.113.9, ${PEER}`],
    ['everybody', true, `10.0.0.1, 203.0.113.9, ${PEER}`],
  ])('tells the addresses that count, where %s is trusted', (_whom, trust, expected) => {
    const told = forwardedFor(request(FORGED, trust));
    expect(told['x-forwarded-for']).toBe(expected);
    const byProxy = expected !== PEER;
    expect(told['x-forwarded-host']).toBe(byProxy ? 'evil.example' : 'api.example:8080');
    expect(told['x-forwarded-proto']).toBe(byProxy ? 'https' : 'http');
  });

  it.each([
    ['203.0.113.9:50000', '203.0.113.9'],
    ['[2001:db8::1]:50000', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['10.0.0.1,203.0.113.9', '203.0.113.9'],
  ])('reads an address as proxies write it: %s', (written, expected) => {
    const headers = { 'x-forwarded-for': written };
    expect(forwardedFor(request(headers, [PEER]))['x-forwarded-for']).toBe(`${expected}, ${PEER}`);
  });

  it.each([
    '',
    'unknown',
    '10.0.0.1, _hidden',
    'a\tb',
    '203.0.113.9:',
    '1.2.3',
    `${'x'.repeat(9)},`,
  ])('stops at what is no address: %j', (written) => {
    const headers = { 'x-forwarded-for': written };
    expect(forwardedFor(request(headers, true))['x-forwarded-for']).toBe(PEER);
  });

  it('tells an IPv4 address on a socket of IPv6 as one, and the scheme of the connection', () => {
    const told = forwardedFor(request({ host: 'a' }, false, '::ffff:192.0.2.1', true));
    expect(told).toEqual({
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'a',
      'x-forwarded-proto': 'https',
    });
  });

  it.each([undefined, 'a/b', 'a@b', 'a\r\nb', ''])('leaves out a host that is none: %j', (host) => {
    expect(forwardedFor(request({ host }))).toEqual({ 'x-forwarded-for': PEER });
  });

  it('tells nothing of what has no connection', () => {
    expect(forwardedFor({ headers: {} } as IncomingMessage)).toEqual({});
    const gone = request({}, true);
    Object.assign(gone.socket, { remoteAddress: undefined });
    expect(forwardedFor(gone)).toEqual({});
  });
});

it('another platform trusts nobody', () => {
  const socket = { remoteAddress: PEER };
  expect(trustsPeer({ headers: {}, socket } as never)).toBe(false);
  expect(trustsPeer({ headers: {}, socket, app: { get: () => 'x' } } as never)).toBe(false);
  expect(trustsPeer(request({}, [PEER]))).toBe(true);
});
