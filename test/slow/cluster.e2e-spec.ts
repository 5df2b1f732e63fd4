// Workers that fail: at boot, at work, and by doing nothing any more.
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import {
  exitOf,
  refuseToBoot,
  startGateway,
  type GatewayProcess,
} from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { writeKeys } from '../helpers/issuers/keys.js';
import { metricOf, preload, workersOf } from '../helpers/gateway/processes.js';

let gateway: GatewayProcess | undefined;
const start = async (env: Record<string, string> = {}): Promise<GatewayProcess> => {
  gateway = await startGateway({ WORKERS: '2', ...env });
  return gateway;
};
/** A connection of its own each, which the primary hands to one worker after the other. */
const token = ({ url }: GatewayProcess) =>
  call(`${url}/token`, { method: 'POST', headers: { connection: 'close' } });

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

describe('WORKERS', () => {
  it('auto is one for each core', async () => {
    const running = await start({ WORKERS: 'auto' });
    expect(workersOf(running.process.pid)).toHaveLength(availableParallelism());
    expect((await token(running)).status).toBe(200);
  });

  it('that cannot boot end the whole, which says why once', async () => {
    const SIGNER_JWK_LOCAL_PATH = writeKeys([]);
    const refused = await refuseToBoot({ WORKERS: '3', SIGNER_JWK_LOCAL_PATH });
    expect(refused.code).toBe(1);
    expect(refused.output.match(/^signet: .*keys\.json/gm)).toHaveLength(1);
    const running = await start();
    const taken = await refuseToBoot({ WORKERS: '2', PORT: new URL(running.url).port });
    expect(taken.code).toBe(1);
    expect(taken.output.match(/PORT \d+ is in use already/g)).toHaveLength(1);
  });

  it('that crash at boot are restarted at most five times, with growing pauses', async () => {
    const { code, output } = await refuseToBoot({
      WORKERS: '2',
      LOG_LEVEL: 'error',
      NODE_OPTIONS: preload('if (worker) process.exit(3)'),
    });
    expect(code).toBe(1);
    const pauses = [...output.matchAll(/replaced in (\d+) ms/g)].map(([, ms]) => Number(ms));
    figure(`crash loop at boot: ${pauses.length} restarts, then exit 1 (criterion 5)`);
    expect(pauses).toEqual([100, 200, 400, 800, 1600]);
    expect(output).toContain(
      'signet: workers end as soon as they start (the last one with code 3)',
    );
  });
});

describe('a worker', () => {
  it('ends at an error that nobody caught, which the log tells', async () => {
    for (const failing of ['throw new Error("boom")', 'Promise.reject(new Error("boom"))']) {
      const running = await start({
        NODE_OPTIONS: preload(`if (worker) process.on('SIGUSR2', () => { ${failing} })`),
      });
      process.kill(workersOf(running.process.pid)[0] ?? 0, 'SIGUSR2');
      await expect.poll(() => running.output()).toMatch(/Worker 3 serves/);
      expect(running.output()).toMatch(
        /(?:uncaughtException|unhandledRejection): the process ends/,
      );
      expect(running.output()).toContain('Error: boom');
      expect(running.output()).toContain('ended with code 1');
      await running.stop();
    }
  });

  it('that was stopped is replaced, and takes no connections with it', async () => {
    const running = await start();
    const [stopped = 0, other] = workersOf(running.process.pid);
    process.kill(stopped, 'SIGSTOP');
    const began = performance.now();
    await expect
      .poll(() => running.output(), { timeout: 30_000, interval: 50 })
      .toMatch(/Worker 3 serves/);
    const elapsed = performance.now() - began;
    figure(`stopped worker replaced after ${Math.round(elapsed)} ms`);
    expect(elapsed).toBeLessThan(limit(9000, 25_000));
    expect(running.output()).toContain('hangs, and is ended');
    const workers = workersOf(running.process.pid);
    expect(workers).toHaveLength(2);
    expect(workers).not.toContain(stopped);
    expect(workers).toContain(other);
    const answers = await Promise.all(Array.from({ length: 40 }, () => token(running)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  it('is not ended for what it said while the primary stood still', async () => {
    const running = await start();
    const workers = workersOf(running.process.pid);
    running.process.kill('SIGSTOP');
    await sleep(8000);
    running.process.kill('SIGCONT');
    // More than one look at them.
    await sleep(2500);
    expect(workersOf(running.process.pid)).toEqual(workers);
    expect(running.output()).not.toContain('hangs');
  });

  it('that hangs holds up neither a scrape nor the shutdown', async () => {
    const running = await start({
      SHUTDOWN_TIMEOUT_MS: '500',
      NODE_OPTIONS: preload("if (worker) process.on('SIGUSR2', () => { for (;;); })"),
    });
    for (let i = 0; i < 6; i++) await token(running);
    const before = await running.metrics();
    process.kill(workersOf(running.process.pid)[0] ?? 0, 'SIGUSR2');
    const started = performance.now();
    const text = await running.metrics();
    figure(`scrape with a hung worker: ${Math.round(performance.now() - started)} ms`);
    expect(performance.now() - started).toBeLessThan(limit(2000, 10_000));
    const name = 'signet_http_request_duration_seconds_count';
    expect([metricOf(before, name, '/token'), metricOf(text, name, '/token')]).toEqual([6, 6]);
    running.process.kill('SIGTERM');
    const signalled = performance.now();
    expect(await exitOf(running)).toBe(1);
    const elapsed = performance.now() - signalled;
    figure(`exit with a hung worker: ${Math.round(elapsed)} ms (criterion 500 + 500)`);
    expect(elapsed).toBeLessThan(limit(1000, 10_000));
  });
});
