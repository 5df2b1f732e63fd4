// Faults that have no spec of their own. Each row names a fault and where it is injected.
//
// F1 to F17     backend-faults               F37 to F39        cluster, and here (F37 under load)
// F18, F19      backend-protection           F40, F52          state, refresh, sessions
// F20 to F26    boot, key-files, key-reload  F42, F44 to F49   server-limits, http (F46)
// F27 to F32    remote-jwks, remote-tls      F33, F50, F51     here
// F34 to F36    shutdown                     F43, F47          faults/overload, faults/keep-alive, every night
//
// F28, an hour without a key set, is an hour of a simulated clock (src/jwks/live-key-set.spec.ts); of real servers
// remote-jwks tries each kind of bad answer for a cooldown.
//
// They run in a short form, and by `npm run test:faults` in their long one, which wants a machine that does
// nothing else.
import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { balance } from '../helpers/network/balancer.js';
import { FULL, limit, quantile } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call, callWith, expectError, type Answer } from '../helpers/network/http.js';
import { metricOf, preload, workersOf } from '../helpers/gateway/processes.js';

let gateway: GatewayProcess;
afterEach(async () => {
  await gateway?.stop();
});
const token = (init: RequestInit = {}): Promise<Answer> =>
  call(`${gateway.url}/token`, { method: 'POST', ...init });

describe('F33 a clock that jumps', () => {
  it('decides about claims, and about nothing else', async () => {
    gateway = await startGateway({
      STATE_STORE: 'memory:',
      NODE_OPTIONS: preload(
        'const real = Date.now; const jumps = [7200e3, -7200e3, 0]; let offset = 0;' +
          'Date.now = () => real() + offset;' +
          "process.on('SIGUSR2', () => { offset = jumps.shift(); process.stderr.write('jumped\\n'); })",
      ),
    });
    const jump = async (count: number): Promise<void> => {
      gateway.process.kill('SIGUSR2');
      await expect.poll(() => gateway.output().split('jumped').length - 1).toBe(count);
    };
    const private_ = (access: unknown): Promise<Answer> =>
      callWith(`${gateway.url}/private/custom`, String(access));
    const first = (await token()).json.access_token;
    expect((await private_(first)).status).toBe(200);
    for (const [count, code] of [
      [1, 'token_expired'],
      [2, 'token_not_yet_valid'],
    ] as const) {
      await jump(count);
      expectError(await private_(first), 401, code);
      expect((await private_((await token()).json.access_token)).status).toBe(200);
      expect(await gateway.metrics()).not.toMatch(/^signet_\w*seconds\S* -/m);
    }
    await jump(3);
    expect((await private_(first)).status).toBe(200);
  });
});

describe('F37 SIGKILL of workers under load', () => {
  const KILLS = FULL ? 20 : 1;
  /** A worker that served for less is one that failed, and replaced later and later. */
  const SERVED_MS = 5500;

  it(
    'loses at most what was in flight on them',
    async () => {
      gateway = await startGateway({ WORKERS: '2' });
      const stop = new AbortController();
      const load = balance(gateway, 500, stop.signal);
      const born = new Map(workersOf(gateway.process.pid).map((pid) => [pid, performance.now()]));
      let slowest = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const [[victim, since] = [0, 0]] = born;
        if (FULL) await sleep(Math.max(0, since + SERVED_MS - performance.now()));
        process.kill(victim, 'SIGKILL');
        const killed = performance.now();
        await expect.poll(() => gateway.output()).toContain(`Worker ${kill + 3} serves`);
        slowest = Math.max(slowest, performance.now() - killed);
        born.delete(victim);
        for (const pid of workersOf(gateway.process.pid))
          if (!born.has(pid)) born.set(pid, performance.now());
      }
      stop.abort();
      const { requests, failures } = await load;
      figure(
        `F37 ${KILLS} SIGKILLs at 500 requests/s: ${requests} requests, ${failures.length} lost (criterion: what was in flight, at most ${KILLS * 20}), replaced within ${Math.round(slowest)} ms (criterion 2000)`,
      );
      expect(failures.length).toBeLessThanOrEqual(KILLS * 20);
      expect(slowest).toBeLessThan(limit(2000, 20_000));
    },
    FULL ? 400_000 : 60_000,
  );
});

describe('F50 hostile requests with 128 MB of heap', () => {
  const SECONDS = FULL ? 600 : 5;

  it(
    'fill no memory',
    async () => {
      gateway = await startGateway({ NODE_OPTIONS: '--max-old-space-size=128' });
      const until = performance.now() + SECONDS * 1000;
      const noise = (length: number): string =>
        Array.from({ length }, () => Math.random().toString(36).slice(2, 10)).join('');
      const header = (): string =>
        Buffer.from(JSON.stringify({ alg: 'HS256', kid: noise(2), typ: 'JWT' })).toString(
          'base64url',
        );
      const attacks: (() => Promise<Answer>)[] = [
        () => callWith(`${gateway.url}/private/custom`, `${header()}.${noise(100)}.${noise(5)}`),
        () => callWith(`${gateway.url}/private/custom`, noise(1500)),
        () => call(`${gateway.url}/${noise(500)}?${noise(500)}`, { method: 'PATCH' }),
        () =>
          token({
            body: `username=${noise(1000)}`,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }),
        () => token({ body: noise(3000) }),
        () =>
          token({
            headers: {
              'x-request-id': noise(10),
              'x-forwarded-for': noise(2),
              cookie: noise(1000),
            },
          }),
        () => token(),
      ];
      let requests = 0;
      let failed = 0;
      const attack = async (): Promise<void> => {
        while (performance.now() < until) {
          const { status } = await (attacks[requests++ % attacks.length] ?? token)();
          if (status >= 500) failed++;
        }
      };
      await Promise.all(Array.from({ length: 16 }, attack));
      const rss = metricOf(await gateway.metrics(), 'process_resident_memory_bytes') / 1024 / 1024;
      figure(
        `F50 ${requests} hostile requests in ${SECONDS} s with 128 MB of heap: ${failed} answered with 5xx, resident memory ${Math.round(rss)} MB`,
      );
      expect(gateway.process.exitCode).toBeNull();
      expect(rss).toBeLessThan(400);
      expect((await token()).status).toBe(200);
    },
    (SECONDS + 60) * 1000,
  );
});

describe('F51 nobody reads the log', () => {
  const REQUESTS = FULL ? 1000 : 300;
  const ROUNDS = FULL ? 9 : 1;

  it('requests go on as before', async () => {
    gateway = await startGateway({ SIGNER_ALG: 'RS256' });
    /** The 99th percentile of many requests, in milliseconds. */
    const p99 = async (): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < REQUESTS; i++) {
        const { status, ms } = await token({ headers: { 'x-request-id': 'x'.repeat(128) } });
        expect(status).toBe(200);
        times.push(ms);
      }
      return quantile(times, 0.99);
    };
    await p99();
    const [before, during]: [number[], number[]] = [[], []];
    // One after the other, so that both see the same machine.
    for (let round = 0; round < ROUNDS; round++) {
      before.push(await p99());
      gateway.process.stdout?.pause();
      during.push(await p99());
      gateway.process.stdout?.resume();
    }
    const [usual, blocked] = [quantile(before, 0.5), quantile(during, 0.5)];
    figure(
      `F51 p99 ${blocked.toFixed(1)} ms with a full log pipe, ${usual.toFixed(1)} ms before (criterion +10 %)`,
    );
    // Less than a tenth of a millisecond is no difference.
    expect(blocked).toBeLessThan(limit(1.1 * usual + 0.1, 10 * Math.max(5, usual)));
  }, 300_000);
});
