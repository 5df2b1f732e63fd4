import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  reply,
  startFaultyBackend,
  type FaultyBackend,
} from './helpers/backends/faulty-backend.js';
import { limit } from './helpers/run/faults.js';
import { figure } from './helpers/run/figure.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, exchange } from './helpers/network/http.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { startJwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, hs256, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { metricOf } from './helpers/gateway/processes.js';
import { track } from './helpers/run/resources.js';

const GOOD = JSON.stringify({ access_token: { sub: 'user' } });
/** Stands for a secret, wherever one may be sent. */
const CANARY = 'canary-5e1c';

let backend: FaultyBackend;
let env: Record<string, string>;
let jwk: Awaited<ReturnType<typeof generateJwk>>;
beforeAll(async () => {
  backend = await startFaultyBackend();
  backend.does((socket) => socket.write(reply(GOOD)));
  jwk = await generateJwk('HS256', 'k1');
  env = {
    BACKEND_HOST: backend.url,
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    VALIDATOR_COOKIE_KEY: 'session',
    BACKEND_INPUT_HEADERS: 'x-api-key',
    BACKEND_INPUT_QUERY_STRINGS: 'key',
  };
});
afterAll(() => backend.down());

describe.each(['pretty', 'json'])('text of others in a %s log', (format) => {
  it('forges no line and steers no terminal', async () => {
    const good = publicHalf(await generateJwk('ES256', 'good'));
    const hostile = 'k\nINFO: forged\r\u001b[2J\u009b2J\u2028\u202e';
    const jwks = await startJwksServer([good, { kty: 'EC', crv: 'P-256', kid: hostile }]);
    const gateway = await hostGateway({
      ...env,
      LOG_FORMAT: format,
      VALIDATOR_ALG: 'ES256',
      VALIDATOR_JWK_URL: jwks.url,
      JWK_HTTP_HOSTS: '127.0.0.1',
    });
    await expect.poll(() => gateway.output()).toContain('forged');
    const [line = ''] = /^.*forged.*$/m.exec(gateway.output()) ?? [];
    expect(line).toContain(String.raw`k\nINFO: forged\r\u001b[2J\u009b2J\u2028\u202e`);
    expect(line).not.toMatch(/[\u0080-\u009f\u2028\u202e]/);
    expect(gateway.output()).not.toMatch(/^INFO: forged/m);
    await gateway.stop();
    await jwks.down();
  });
});

describe('a log line', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await hostGateway(env);
  });
  const lineOf = async (id: string): Promise<Record<string, unknown>> => {
    const find = () => gateway.log().find(({ request_id }) => request_id === id);
    await expect.poll(find).toBeDefined();
    return find() ?? {};
  };

  it('says what became of a request, and for whom without a name', async () => {
    const { headers } = await callWith(`${gateway.url}/private/custom`, await tokenOf(jwk));
    const line = await lineOf(headers.get('x-request-id') ?? '');
    expect(line).toMatchObject({ method: 'GET', route: '/private/custom', status: 200 });
    expect(line.sub_hash).toBe(createHash('sha256').update('u1').digest('hex').slice(0, 16));
    expect(line.ms).toEqual(expect.any(Number));
    expect(Object.keys(line)).not.toContain('code');
  });

  it('says why a request was refused, and nothing of an unverified subject', async () => {
    const token = await tokenOf({ ...(await generateJwk('HS256', 'k1')) });
    const { headers } = await callWith(`${gateway.url}/private/custom`, token);
    const line = await lineOf(headers.get('x-request-id') ?? '');
    expect(line).toMatchObject({ status: 401, code: 'signature_invalid' });
    expect(line).not.toHaveProperty('sub_hash');
  });

  it('has status 499 when the client was gone before there was an answer', async () => {
    const asked = new Promise<void>((seen) => backend.does(() => seen()));
    const client = new AbortController();
    const answer = call(`${gateway.url}/token`, {
      method: 'POST',
      headers: { 'x-request-id': 'gone-1' },
      signal: client.signal,
    });
    await asked;
    client.abort();
    await expect(answer).rejects.toThrow('aborted');
    backend.does((socket) => socket.write(reply(GOOD)));
    expect(await lineOf('gone-1')).toMatchObject({ route: '/token', status: 499, aborted: true });
    const count = 'signet_http_request_duration_seconds_count';
    const metrics = await gateway.metrics();
    expect(metricOf(metrics, count, 'route="/token",status="499"')).toBe(1);
    expect(metricOf(metrics, count, 'route="/token",status="200"')).toBe(0);
  });

  it('is one per request', async () => {
    await call(`${gateway.url}/token`, { method: 'POST', headers: { 'x-request-id': 'only-1' } });
    await lineOf('only-1');
    expect(gateway.output().split('only-1').length - 1).toBe(1);
  });
});

describe('secrets', () => {
  /**
   * Sends the canary in every place a client or the backend can put it. Only `typ`, `iss` and `aud`
   * of a token that does not fit are quoted on purpose: they name kinds of tokens and services.
   */
  async function sendEverywhere({ url }: Gateway): Promise<void> {
    const claims = { iss: 'https://krakend.io', aud: 'http://api.example.com', exp: 4e9 };
    const header = { alg: 'HS256', kid: 'k1', typ: 'JWT' };
    const secret = jwk.k ?? '';
    const tokens = [
      CANARY,
      `a.${CANARY}.c`,
      hs256(secret, { ...header, kid: CANARY }, claims),
      hs256(secret, { ...header, alg: CANARY }, claims),
      hs256(secret, { ...header, [CANARY]: CANARY, crit: [CANARY] }, claims),
      hs256(secret, header, { ...claims, sub: CANARY, roles: [CANARY] }),
      hs256(secret, header, { ...claims, sub: CANARY, roles: ['role_a'], email: CANARY }),
      hs256(secret, header, { ...claims, exp: CANARY }),
    ];
    const custom = `${url}/private/custom`;
    for (const token of tokens) {
      await callWith(custom, token);
      await call(custom, { headers: { cookie: `session=${token}` } });
      await call(`${custom}?access_token=${token}&key=${CANARY}`);
      const form = { body: new URLSearchParams({ token }), method: 'POST' };
      await call(`${url}/token/revoke`, form);
      await call(`${url}/logout`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      await call(`${url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
      });
    }
    for (const headers of [
      { authorization: `Basic ${CANARY}` },
      { authorization: CANARY },
      { 'x-api-key': CANARY, 'user-agent': CANARY, referer: `http://${CANARY}` },
      { [CANARY]: CANARY, 'x-forwarded-for': CANARY },
      { 'content-type': CANARY },
      { 'x-request-id': `${CANARY} with a blank` },
    ] as Record<string, string>[]) {
      await call(custom, { headers });
      await call(`${url}/token?password=${CANARY}`, { method: 'POST', headers, body: CANARY });
    }
    await call(`${url}/${CANARY}/${CANARY}?${CANARY}`);
    for (const [type, body] of [
      ['application/json', `{"password":"${CANARY}"}`],
      ['application/json', `{"password":"${CANARY}`],
      ['application/x-www-form-urlencoded', `password=${CANARY}&password=${CANARY}`],
      ['text/plain', CANARY],
      ['application/json', JSON.stringify({ password: CANARY.repeat(10_000) })],
    ] as const)
      for (const path of ['token', 'token/revoke', 'token/introspect', 'admin/revocations'])
        await call(`${url}/${path}`, { method: 'POST', headers: { 'content-type': type }, body });
    for (const bytes of [
      `${CANARY}\r\n\r\n`,
      `GET /${CANARY} HTTP/1.1\r\nHost: a\r\n${CANARY} : x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${CANARY}\r\nX: ${CANARY.repeat(3000)}\r\n\r\n`,
    ])
      await exchange(url, bytes);
    for (const answer of [
      reply(`{"access_token":{"sub":"${CANARY}","password":"${CANARY}"},"${CANARY}":"${CANARY}"}`),
      reply(`{"access_token":"${CANARY}"}`),
      reply(`{"access_token":{"sub":"${CANARY}","exp":"${CANARY}"}}`),
      reply(`{"access_token":{"sub":"${CANARY}","exp":1}}`),
      reply(`<h1>${CANARY}</h1>`, { 'Content-Type': 'text/html' }),
      reply(`{"access_token":"${CANARY}`),
      reply(`{"e":"${CANARY}"}`, { 'X-Secret': CANARY }, `401 ${CANARY}`),
      reply(`{"e":"${CANARY}"}`, { 'WWW-Authenticate': `Basic realm="${CANARY}"` }, '401 No'),
      reply(`{"e":"${CANARY}"}`, { 'Set-Cookie': `a=${CANARY}` }, `500 ${CANARY}`),
      reply('', { Location: `http://${CANARY}/` }, '302 Found'),
      reply('{}', { 'Content-Encoding': CANARY }),
      reply('{}', { 'Content-Type': `${CANARY}/json` }),
      Buffer.from(`${CANARY}\r\n\r\n`),
    ]) {
      backend.does((socket) => socket.write(answer));
      await call(`${url}/token`, { method: 'POST' });
      await callWith(custom, await tokenOf(jwk));
    }
    backend.does((socket) => socket.write(reply(GOOD)));
  }

  it.each([
    ['trace', 'json'],
    ['trace', 'pretty'],
    ['info', 'json'],
  ])('are in no line at level %s as %s', async (LOG_LEVEL, LOG_FORMAT) => {
    const gateway = await hostGateway({
      ...env,
      LOG_LEVEL,
      LOG_FORMAT,
      ERRORS_EXPLAIN: 'true',
      ADMIN_ROLES: 'admin',
    });
    await sendEverywhere(gateway);
    await gateway.stop();
    expect(gateway.output().split('request').length).toBeGreaterThan(100);
    const found = gateway
      .output()
      .split('\n')
      .filter((line) => line.includes('canary'));
    expect(found).toEqual([]);
    expect(gateway.output()).not.toContain(jwk.k);
  });
});

describe('a log that nobody reads', () => {
  it('holds up neither requests nor the end of the process', async () => {
    const gateway = await startGateway(env);
    gateway.process.stdout?.pause();
    const times: number[] = [];
    const send = async (): Promise<void> => {
      const headers = { 'x-request-id': 'x'.repeat(128) };
      const { status, ms } = await call(`${gateway.url}/token`, { method: 'POST', headers });
      expect(status).toBe(200);
      times.push(ms);
    };
    for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 10 }, send));
    const start = performance.now();
    gateway.process.kill('SIGTERM');
    await once(gateway.process, 'exit');
    const exit = Math.round(performance.now() - start);
    const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
    figure(`stdout not read: p99 ${p99.toFixed(1)} ms, exit after SIGTERM ${exit} ms`);
    expect(gateway.process.exitCode).toBe(0);
    expect(exit).toBeLessThan(limit(5000, 20_000));
    gateway.process.stdout?.resume();
    await gateway.stop();
  });

  it('drops lines and counts them, within its memory', async () => {
    const child = track(
      spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const { createLog } = await import(${JSON.stringify(resolve('dist/logging/index.js'))});
        const log = await createLog({ level: 'info', format: 'json' });
        const before = process.memoryUsage.rss();
        for (let i = 0; i < 200; i++) {
          for (let j = 0; j < 1000; j++) log.pino.info('x'.repeat(200));
          await new Promise(setImmediate);
        }
        console.error(JSON.stringify({ dropped: log.dropped(), rss: process.memoryUsage.rss() - before }));
        process.exit(0);`,
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    let report = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (report += text));
    await once(child, 'exit');
    child.stdout.resume();
    const { dropped, rss } = JSON.parse(report) as { dropped: number; rss: number };
    expect(dropped).toBeGreaterThan(100_000);
    expect(dropped).toBeLessThan(200_000);
    expect(rss).toBeLessThan(150 * 1024 * 1024);
  });
});
