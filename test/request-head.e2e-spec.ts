// What Node lets pass of the head of a request, and two readers would see in two ways.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { exchange, expectError } from './helpers/network/http.js';

let gateway: Gateway;
let host: string;
beforeAll(async () => {
  gateway = await hostGateway({ TRUST_PROXY: 'true', THROTTLE_LIMIT: '2' });
  ({ host } = new URL(gateway.url));
});

const ask = (method: string, path: string, lines: string[], body = '') =>
  exchange(gateway.url, `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);

describe('a request', () => {
  it.each<[string, string[]]>([
    ['no Host', []],
    ['two Host headers', ['Host: a', 'Host: b']],
    ['the same Host twice', ['Host: a', 'HOST: a']],
    ['a blank in Host', ['Host: a b']],
    ['a path in Host', ['Host: a/b']],
    ['a user in Host', ['Host: user@a']],
    ['markup in Host', ['Host: <script>']],
    ['no number for a port', ['Host: a:b']],
    ['an open bracket', ['Host: [::1']],
    ['what is no ASCII', ['Host: \u00e9']],
  ])('with %s is malformed', async (_name, lines) => {
    expectError(await ask('GET', '/health/live', lines), 400, 'request_malformed');
  });

  it('with a user in a whole URL is malformed', async () => {
    const answer = await ask('GET', 'http://user@a/health/live', [`Host: ${host}`]);
    expectError(answer, 400, 'request_malformed');
  });

  it.each(['', 'a', 'a.b:80', 'a_b', '[::1]', '[::1]:8080', '127.0.0.1:1', 'a:', 'A%20b'])(
    'is for the host %j',
    async (name) => {
      const answer = await ask('GET', '/health/live', [`Host: ${name}`, 'Connection: close']);
      expect(answer.status).toBe(200);
    },
  );

  it('of another version of HTTP is told so', async () => {
    const answer = await exchange(
      gateway.url,
      `GET /health/live HTTP/2.0\r\nHost: ${host}\r\n\r\n`,
    );
    expectError(answer, 505, 'version_unsupported');
  });

  it('of HTTP/1.0 needs no Host', async () => {
    const answer = await exchange(gateway.url, 'GET /health/live HTTP/1.0\r\n\r\n');
    expect(answer.status).toBe(200);
  });

  it('with an expectation that is not met is told so', async () => {
    const lines = [`Host: ${host}`, 'Expect: a miracle', 'Content-Length: 0'];
    expectError(await ask('POST', '/logout', lines), 417, 'expectation_failed');
  });

  const REVOKE = ['Content-Type: application/x-www-form-urlencoded', 'Connection: close'];

  it('with a transfer coding beside chunked is not read', async () => {
    const lines = [`Host: ${host}`, 'Transfer-Encoding: gzip, chunked', ...REVOKE];
    const answer = await ask('POST', '/token/revoke', lines, '7\r\ntoken=x\r\n0\r\n\r\n');
    expectError(answer, 501, 'transfer_coding_unsupported');
  });

  it.each(['Identity', 'IDENTITY'])('with the content encoding %s is read', async (encoding) => {
    const lines = [
      `Host: ${host}`,
      `Content-Encoding: ${encoding}`,
      'Content-Length: 7',
      ...REVOKE,
    ];
    expect((await ask('POST', '/token/revoke', lines, 'token=x')).status).toBe(200);
  });

  it('counts by its address, whatever port a proxy adds', async () => {
    const status = async (address: string): Promise<number> =>
      (
        await ask('POST', '/token', [
          `Host: ${host}`,
          `X-Forwarded-For: ${address}`,
          'Content-Length: 0',
          'Connection: close',
        ])
      ).status;
    for (const [bare, one, other] of [
      ['203.0.113.7', '203.0.113.7:1', '203.0.113.7:65535'],
      ['2001:db8:1::7', '[2001:db8:1::7]:1', '[2001:db8:1::7]'],
    ] as const)
      expect([await status(bare), await status(one), await status(other)]).toEqual([200, 200, 429]);
  });

  it('gets a warning into the log where every proxy is trusted', () => {
    expect(gateway.log().map(({ msg }) => msg)).toContainEqual(
      expect.stringMatching(/^TRUST_PROXY=true: /),
    );
  });
});
