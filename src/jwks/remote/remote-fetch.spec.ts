// How a set may be sent, and how it may not.
import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchJson } from './remote-fetch.js';

const SET = '{"keys":[]}';
const JSON_TYPE = { 'content-type': 'application/json' };

interface Reply {
  status?: number;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}
let server: Server;
let origin: string;
/** What is answered, by path. */
let replies: Record<string, Reply>;
let seen: { path: string; encoding: unknown }[];

beforeAll(async () => {
  server = createServer(({ url = '', headers }, response) => {
    seen.push({ path: url, encoding: headers['accept-encoding'] });
    const { status = 200, headers: own = JSON_TYPE, body = SET } = replies[url] ?? { status: 404 };
    response.writeHead(status, own).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});
beforeEach(() => {
  replies = {};
  seen = [];
});

/** The text, or why there is none. */
async function fetched(reply: Reply): Promise<string> {
  replies['/set'] = reply;
  const agent = new Agent();
  try {
    return await fetchJson(new URL(`${origin}/set`), agent, 5000);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await agent.destroy();
  }
}

describe('by its content type, a set', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/jwk-set+json',
    'application/jwk+json',
    // As stores of files send what they do not know: S3 the last one.
    'text/plain',
    'text/plain; charset=utf-8',
    'text/json',
    'application/octet-stream',
    'binary/octet-stream',
    undefined,
  ])('%s is taken', async (type) => {
    expect(await fetched({ headers: type === undefined ? {} : { 'content-type': type } })).toBe(SET);
  });

  it.each([
    'text/html',
    'text/html; charset=utf-8',
    'application/xml',
    'application/jose',
    'text/plainer',
    'multipart/form-data',
    'image/png',
    '',
  ])('%j is refused', async (type) => {
    expect(await fetched({ headers: { 'content-type': type } })).toMatch(/not JSON by its content type/);
  });
}); // prettier-ignore

describe('packed, a set', () => {
  it('is not asked for', async () => {
    await fetched({});
    expect(seen).toEqual([{ path: '/set', encoding: 'identity' }]);
  });

  it.each<[string, string, Buffer | string]>([
    ['gzip', 'gzip', gzipSync(SET)],
    ['gzip by its old name', 'x-gzip', gzipSync(SET)],
    ['gzip in capitals', 'GZIP', gzipSync(SET)],
    ['identity', 'identity', SET],
    ['with a byte order mark', 'identity', `\uFEFF${SET}`],
    ['with a byte order mark, in gzip', 'gzip', gzipSync(`\uFEFF${SET}`)],
  ])('%s, is taken', async (_how, encoding, body) => {
    expect(await fetched({ headers: { ...JSON_TYPE, 'content-encoding': encoding }, body })).toBe(SET);
  });

  it.each<[string, string, Buffer | string, RegExp]>([
    ['brotli', 'br', brotliCompressSync(SET), /not with gzip/],
    ['deflate', 'deflate', deflateSync(SET), /not with gzip/],
    ['gzip twice', 'gzip, gzip', gzipSync(gzipSync(SET)), /not with gzip/],
    ['no gzip under its name', 'gzip', SET, /cannot be unpacked/],
    ['half of it', 'gzip', gzipSync(SET).subarray(0, 12), /cannot be unpacked/],
    ['2 MiB of blanks', 'gzip', gzipSync(' '.repeat(2 ** 21)), /to 1048576 bytes or less/],
    ['2 MiB as they are', 'identity', ' '.repeat(2 ** 21), /larger than 1048576 bytes/],
  ])('%s, is refused', async (_how, encoding, body, reason) => {
    expect(await fetched({ headers: { ...JSON_TYPE, 'content-encoding': encoding }, body })).toMatch(reason);
  });
}); // prettier-ignore

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i within the origin is followed, once', async (status) => {
    replies['/moved'] = {};
    for (const location of ['/moved', 'moved', `${origin}/moved`])
      expect(await fetched({ status, headers: { location } })).toBe(SET);
    replies['/moved'] = { status, headers: { location: '/set' } };
    expect(await fetched({ status, headers: { location: '/moved' } })).toMatch(/a second redirect/);
  });

  it.each([
    ['to another host', 'https://other.example/set'],
    ['to another name of the host', 'http://localhost/set'],
    ['to another port', 'http://127.0.0.1:1/set'],
    ['to another scheme', 'https://127.0.0.1/set'],
    ['to where a host is hidden', '//other.example/set'],
    ['to no URL', 'http://['],
    ['without a target', undefined],
  ])('%s is refused', async (_where, location) => {
    const headers = location === undefined ? {} : { location };
    expect(await fetched({ status: 302, headers })).toMatch(/redirect \(302\) to another origin/);
    expect(seen).toHaveLength(1);
  });

  it.each([201, 204, 206, 300, 304, 401, 404, 500, 503])('status %i is none', async (status) => {
    expect(await fetched({ status, headers: { ...JSON_TYPE, location: '/moved' } })).toBe(
      `the answer has status ${status}`,
    );
  });
});
