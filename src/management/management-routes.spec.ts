import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayStatus, ManagementSource } from './index.js';
import { answerManagement } from './management-routes.js';

const PAGE_FILES = ['/', '/_pages/status.js', '/_pages/page.js', '/_pages/style.css'];
const EXPLAIN_FILES = ['/_explain', '/_pages/facts.json'];
const status = { at: 1, problems: [] } as unknown as GatewayStatus;
let asked: unknown[] = [];
const withExplain: ManagementSource = {
  metrics: async () => ({ contentType: 'text/plain', body: 'x 1\n' }),
  status: async () => status,
  explain: {
    facts: async () => ({ routes: [{ method: 'GET', path: '/a', access: 'token' }] }),
    explain: async (question) => {
      asked.push(question);
      return { status: 200, body: '{"accepted":true}' };
    },
  },
};
const silent: ManagementSource = {
  ...withExplain,
  status: async () => undefined,
  explain: { facts: async () => undefined, explain: async () => undefined },
};

const servers: Server[] = [];
let port: number;
let source: ManagementSource;
beforeAll(async () => {
  const server = createServer((question, answer) => {
    answerManagement(question, answer, source).catch(() => answer.destroy());
  }).listen(0, '0.0.0.0');
  servers.push(server);
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => servers.forEach((server) => server.close()));

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}
async function ask(
  from: ManagementSource,
  route: string,
  { host, address = '127.0.0.1', type, body }: Partial<Record<string, string>> = {},
): Promise<Answer> {
  source = from;
  asked = [];
  const [method, path] = route.split(' ');
  const sent = request({
    method,
    path,
    port,
    host: address,
    agent: false,
    headers: {
      host: host ?? `localhost:${port}`,
      ...(type === undefined ? {} : { 'content-type': type }),
    },
  });
  sent.end(method === 'GET' ? undefined : body);
  const [answer] = (await once(sent, 'response')) as [
    Parameters<typeof text>[0] & Answer & { statusCode: number },
  ];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

describe('the management listener', () => {
  it.each([...PAGE_FILES, '/_explain'])(
    'serves %s, which runs nothing that is written into it',
    async (path) => {
      const answer = await ask(withExplain, `GET ${path}`);
      expect(answer.status).toBe(200);
      expect(answer.body.length).toBeGreaterThan(500);
      expect(answer.body.length).toBeLessThan(15_000);
      expect(answer.body).not.toMatch(/https?:\/\/|\son\w+=|style=|<script>/);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      const policy = String(answer.headers['content-security-policy'] ?? '');
      expect(policy.startsWith("default-src 'none'")).toBe(!path.startsWith('/_pages/'));
      expect(policy).not.toContain('unsafe');
    },
  );

  it('tells the status, and whether there is an explain page', async () => {
    const answer = await ask(withExplain, 'GET /status.json?x=1');
    expect(JSON.parse(answer.body)).toEqual({ ...status, explainPage: true });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    const other = await ask({ ...withExplain, explain: undefined }, 'GET /status.json');
    expect(JSON.parse(other.body)).toEqual({ ...status, explainPage: false });
  });

  it.each([...EXPLAIN_FILES.map((path) => `GET ${path}`), 'POST /_explain'])(
    'has no %s where it is not asked for',
    async (route) => {
      const none = { ...withExplain, explain: undefined };
      const { status: code } = await ask(none, route, { type: 'application/json', body: '{}' });
      expect(code).toBe(404);
    },
  );

  it.each([
    'GET /nothing',
    'GET /_pages/',
    'GET /_pages/constructor',
    'GET /_pages/status.html',
    'GET /_pages/..%2findex.js',
    'GET /_pages/../index.js',
    'POST /metrics',
    'POST /',
    'DELETE /_explain',
    'GET //',
  ])('has no %s', async (route) => {
    expect((await ask(withExplain, route)).status).toBe(404);
  });

  it('hands a question on, and the answer back', async () => {
    const body = '{"token":"x.y.z","route":"GET /a"}';
    const answer = await ask(withExplain, 'POST /_explain', { type: 'application/json', body });
    expect([answer.status, answer.body]).toEqual([200, '{"accepted":true}']);
    expect(asked).toEqual([{ token: 'x.y.z', route: 'GET /a' }]);
    expect(answer.headers['cache-control']).toBe('no-store');
    const facts = await ask(withExplain, 'GET /_pages/facts.json');
    expect(JSON.parse(facts.body)).toEqual({
      routes: [{ method: 'GET', path: '/a', access: 'token' }],
    });
  });

  it.each([
    ['no JSON', 'application/json', '{"token":', 400, 'body_malformed'],
    ['nothing', 'application/json', '', 400, 'body_malformed'],
    // A page of another origin can send a form.
    ['a form', 'application/x-www-form-urlencoded', 'token=x', 415, 'media_type_unsupported'],
    ['text', 'text/plain', '{"token":"x"}', 415, 'media_type_unsupported'],
    ['no type', undefined, '{"token":"x"}', 415, 'media_type_unsupported'],
    ['too much', 'application/json', `"${'x'.repeat(300_000)}"`, 413, 'body_too_large'],
  ])('refuses %s', async (_what, type, body, code, name) => {
    const answer = await ask(withExplain, 'POST /_explain', { type, body });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      code,
      { error: 'invalid_request', code: name },
    ]);
    expect(asked).toEqual([]);
  });

  it.each(['GET /status.json', 'GET /_pages/facts.json', 'POST /_explain'])(
    'answers %s with 503 while no process answers',
    async (route) => {
      const answer = await ask(silent, route, { type: 'application/json', body: '{}' });
      expect(answer.status).toBe(503);
    },
  );

  it.each([
    ['localhost', 200],
    ['localhost:8090', 200],
    ['127.0.0.1:8090', 200],
    ['[::1]:8090', 200],
    // Host names that point to 127.0.0.1 (DNS rebinding).
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:8090', 421],
  ])('on this machine is there for the host %j: %i', async (host, code) => {
    expect((await ask(withExplain, 'GET /status.json', { host })).status).toBe(code);
    expect((await ask(withExplain, 'GET /metrics', { host })).status).toBe(200);
  });

  const [address] = Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one?.family === 'IPv4' && !one.internal ? [one.address] : []));
  it.skipIf(address === undefined)(
    'is there by any name on an address that others reach',
    async () => {
      const answer = await ask(withExplain, 'GET /', { host: 'signet.internal', address });
      expect(answer.status).toBe(200);
    },
  );
});
