// Faults of clients: slow, greedy and hostile connections (F44, F49, overload).
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { FULL, limit, quantile } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { flood } from '../helpers/network/flood.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { hold } from '../helpers/network/hold.js';
import { call, callWith } from '../helpers/network/http.js';
import { writeKeys } from '../helpers/issuers/keys.js';
import { metricOf } from '../helpers/gateway/processes.js';

const SLOW_CONNECTIONS = FULL ? 1000 : 100;
const HEAD = 'POST /token HTTP/1.1\r\nHost: x\r\n';

/** Latencies of requests one after the other, for as long as `during` takes; in the short form with pauses. */
async function latencies({ url }: Gateway, during: Promise<unknown>): Promise<number[]> {
  let over = false;
  void during.finally(() => (over = true));
  const list: number[] = [];
  for (let running = true; running; running = !over) {
    const { status, ms } = await call(`${url}/token`, { method: 'POST' });
    // A machine that others keep busy is an overloaded one.
    expect(FULL ? [200] : [200, 503]).toContain(status);
    list.push(ms);
    if (!FULL) await sleep(5);
  }
  return list;
}

describe('F44', () => {
  let backend: Backend;
  let gateway: Gateway;
  beforeAll(async () => {
    backend = await startBackend();
    await backend.answer('/token.json', {
      body: {
        access_token: { sub: '1', aud: 'http://api.example.com', roles: ['role_a'] },
      },
    });
    await backend.answer('/user/1.json', { body: { text: 'x'.repeat(1_000_000) } });
    gateway = await startGateway({ BACKEND_HOST: backend.url });
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });

  it('slow heads, slow bodies and clients that read nothing lose their connection, others notice nothing', async () => {
    const warm = new Promise((resolve) => setTimeout(resolve, 3000));
    await latencies(gateway, call(`${gateway.url}/health/live`));
    const before = await latencies(gateway, warm);
    const token = String(
      (await call(`${gateway.url}/token`, { method: 'POST' })).json.access_token,
    );
    const slow = Array.from({ length: SLOW_CONNECTIONS }, (_, i) => [
      hold(gateway.url, `${HEAD}X-Slow: ${i}`),
      hold(gateway.url, `${HEAD}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`),
    ]).flat();
    // They go on as slowly as they began.
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('a');
    }, 1000);
    const reader = hold(
      gateway.url,
      `GET /private/custom HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`.repeat(
        10,
      ),
    );
    reader.socket.pause();
    for (const { socket } of slow) socket.resume();
    const closing = Promise.all(slow.map(({ closed }) => closed));
    const during = await latencies(gateway, closing);
    clearInterval(drip);
    const [p99Before, p99During] = [quantile(before, 0.99), quantile(during, 0.99)];
    const longest = Math.max(...(await closing));
    figure(
      `F44 ${slow.length} slow connections: p99 of others ${p99During.toFixed(1)} ms, before ${p99Before.toFixed(1)} ms (criterion 2x); each closed within ${Math.round(longest)} ms (criterion 15000)`,
    );
    expect(longest).toBeLessThan(limit(15_000, 20_000));
    expect(p99During).toBeLessThan(limit(2 * p99Before, 20 * Math.max(p99Before, 5)));
    const metrics = await gateway.metrics();
    expect(metricOf(metrics, 'signet_refusals_total', 'request_timeout')).toBe(slow.length);
    // What was not read is not sent any more, either: the gateway gives the connection up.
    await expect
      .poll(
        () =>
          gateway
            .log()
            .find(({ route, aborted }) => aborted === true && route === '/private/custom'),
        {
          timeout: 60_000,
        },
      )
      .toBeDefined();
    const unread = await new Promise<number>((resolve) => {
      let bytes = 0;
      reader.socket.on('data', (chunk) => (bytes += chunk.length)).resume();
      void reader.closed.then(() => resolve(bytes));
    });
    figure(`F44 a client that reads nothing is left with ${unread} of 10000000 bytes`);
    expect(unread).toBeLessThan(9_000_000);
  }, 120_000);
});

describe('F49', () => {
  it('survives running out of file descriptors', async () => {
    const gateway = await startGateway({}, undefined, [
      'sh',
      '-c',
      'ulimit -n 256; exec "$@"',
      'sh',
    ]);
    const sockets = Array.from({ length: 400 }, () => hold(gateway.url, ''));
    await expect
      .poll(() => sockets.filter(({ socket }) => socket.closed).length)
      .toBeGreaterThan(100);
    await expect.poll(() => gateway.output()).toContain('Connections are refused');
    for (const { socket } of sockets) socket.destroy();
    const freed = performance.now();
    await expect
      .poll(() =>
        call(`${gateway.url}/token`, { method: 'POST' }).then(({ status }) => status, String),
      )
      .toBe(200);
    const recovery = Math.round(performance.now() - freed);
    figure(`F49 serves ${recovery} ms after 400 connections to 256 descriptors (criterion 5000)`);
    expect(recovery).toBeLessThan(limit(5000, 20_000));
    expect(
      metricOf(await gateway.metrics(), 'signet_refusals_total', 'connections_exceeded'),
    ).toBeGreaterThan(100);
    expect((await callWith(`${gateway.url}/private/custom`, 'x')).status).toBe(401);
    await gateway.stop();
  });
});

describe('overload', () => {
  let backend: Backend;
  let gateway: Gateway;
  beforeAll(async () => {
    backend = await startBackend();
    await backend.answer('/token.json', { body: { access_token: { sub: '1' } } });
    // So slow a key that little is too much.
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 });
    gateway = await startGateway({
      BACKEND_HOST: backend.url,
      THROTTLE_LIMIT: '0',
      SIGNER_ALG: 'RS256',
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: writeKeys([
        { ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' },
      ]),
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });
  const token = () => call(`${gateway.url}/token`, { method: 'POST' });

  it('is refused with 503 within seconds, probes are answered, and all is well after it', async () => {
    const started = performance.now();
    const over = new AbortController();
    const load = flood(gateway.url, 400, 2000, 8).finally(() => over.abort());
    let firstMs = Infinity;
    const refusals = async () =>
      metricOf(await gateway.metrics(), 'signet_refusals_total', 'overloaded');
    while (!over.signal.aborted) {
      expect((await call(`${gateway.url}/health/live`)).status).toBe(200);
      if (firstMs === Infinity && (await refusals()) > 0) firstMs = performance.now() - started;
    }
    const { status } = await load;
    expect(status['503']?.sample).toMatch(/\r\nRetry-After: 1\r\n[^]*"code":"overloaded"/);
    const refused = await refusals();
    const after = performance.now();
    await expect
      .poll(
        async () => {
          const answers = await Promise.all(Array.from({ length: 10 }, token));
          return answers.filter((answer) => answer.status !== 200).length;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    figure(
      `overload: first refusal after ${Math.round(firstMs)} ms (criterion 10000), ${refused} refused, ${status['200']?.count ?? 0} served; everything served ${Math.round(performance.now() - after)} ms after the load`,
    );
    expect(firstMs).toBeLessThan(limit(10_000, 20_000));
    expect(refused).toBeGreaterThanOrEqual(status['503']?.count ?? Infinity);
    expect(status['200']?.count).toBeGreaterThan(0);
  }, 60_000);
});
