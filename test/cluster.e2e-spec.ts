import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseToBoot, startGateway, type Gateway } from './helpers/gateway.js';
import { call } from './helpers/http.js';
import { isAlive, metricOf, preload, workersOf } from './helpers/processes.js';

let gateway: Gateway | undefined;
const start = async (env: Record<string, string> = {}, cwd?: string): Promise<Gateway> => {
  gateway = await startGateway({ WORKERS: '2', ...env }, cwd);
  return gateway;
};
const exitOf = async ({ process: child }: Gateway): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
};
/** A connection of its own each, which the primary hands to one worker after the other. */
const token = ({ url }: Gateway) =>
  call(`${url}/token`, { method: 'POST', headers: { connection: 'close' } });
const linesWith = (of: Gateway, text: string): number =>
  of
    .output()
    .split('\n')
    .filter((line) => line.includes(text)).length;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

describe('WORKERS', () => {
  it('share the port, one demo backend and one fresh key, and say so once', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'signet-'));
    const running = await start({ WORKERS: '3' }, cwd);
    expect(workersOf(running.process.pid)).toHaveLength(3);
    for (let i = 0; i < 9; i++) expect((await token(running)).status).toBe(200);
    for (const line of ['Listening on', 'the demo backend answers', 'Created keys/', 'Metrics on'])
      expect([line, linesWith(running, line)]).toEqual([line, 1]);
    expect(readdirSync(join(cwd, 'keys'))).toEqual(['signing.jwks.json']);
    const text = await running.metrics();
    expect(metricOf(text, 'signet_workers')).toBe(3);
    expect(metricOf(text, 'signet_http_request_duration_seconds_count', '/token')).toBe(9);
    expect(text).toMatch(/signet_build_info\{version="[\d.]+",node="v\d+\.\d+\.\d+"\} 1\n/);
    expect(metricOf(text, 'signet_event_loop_delay_seconds')).toBeLessThan(10);
    expect(text).not.toMatch(/ (?:null|undefined)$/m);
    expect(await running.stop()).toBe(0);
    expect(linesWith(running, 'shutting down')).toBe(1);
    rmSync(cwd, { recursive: true });
  });

  it('auto is one for each core', async () => {
    const running = await start({ WORKERS: 'auto' });
    expect((await token(running)).status).toBe(200);
  });

  it('are not started with an environment that cannot be used', async () => {
    const { code, output } = await refuseToBoot({ WORKERS: '3', PORT: 'x', LOG_LEVEL: 'x' });
    expect(code).toBe(1);
    expect(output.match(/signet: PORT/g)).toHaveLength(1);
    expect(output.trim().split('\n')).toHaveLength(2);
  });

  it('that cannot boot end the whole, which says why once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'signet-'));
    const path = join(directory, 'keys.json');
    writeFileSync(path, '{"keys":[]}', { mode: 0o600 });
    const refused = await refuseToBoot({ WORKERS: '3', SIGNER_JWK_LOCAL_PATH: path });
    expect(refused.code).toBe(1);
    expect(refused.output.match(/^signet: .*keys\.json/gm)).toHaveLength(1);
    const running = await start();
    const taken = await refuseToBoot({ WORKERS: '2', PORT: new URL(running.url).port });
    expect(taken.code).toBe(1);
    expect(taken.output.match(/PORT \d+ is in use already/g)).toHaveLength(1);
    rmSync(directory, { recursive: true });
  });

  it('that crash at boot are restarted at most five times, with growing pauses', async () => {
    const { code, output } = await refuseToBoot({
      WORKERS: '2',
      LOG_LEVEL: 'error',
      NODE_OPTIONS: preload('if (worker) process.exit(3)'),
    });
    expect(code).toBe(1);
    const pauses = [...output.matchAll(/replaced in (\d+) ms/g)].map(([, ms]) => Number(ms));
    console.log(`crash loop at boot: ${pauses.length} restarts, then exit 1 (criterion 5)`);
    expect(pauses).toEqual([100, 200, 400, 800, 1600]);
    expect(output).toContain(
      'signet: workers end as soon as they start (the last one with code 3)',
    );
  });
});

describe('a worker', () => {
  it('that is killed is replaced, and what it counted is not forgotten', async () => {
    const running = await start();
    for (let i = 0; i < 10; i++) await token(running);
    const count = async (): Promise<number> =>
      metricOf(await running.metrics(), 'signet_http_request_duration_seconds_count', '/token');
    expect(await count()).toBe(10);
    const [victim = 0, survivor = 0] = workersOf(running.process.pid);
    process.kill(victim, 'SIGKILL');
    const killed = performance.now();
    await expect.poll(() => running.output()).toMatch(/Worker 3 serves/);
    console.log(
      `replaced after SIGKILL: ${Math.round(performance.now() - killed)} ms (criterion 2000)`,
    );
    expect(workersOf(running.process.pid)).toContain(survivor);
    expect(await count()).toBe(10);
    for (let i = 0; i < 4; i++) expect((await token(running)).status).toBe(200);
    expect(await count()).toBe(14);
    expect(metricOf(await running.metrics(), 'signet_worker_restarts_total')).toBe(1);
  });

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
    console.log(`scrape with a hung worker: ${Math.round(performance.now() - started)} ms`);
    expect(performance.now() - started).toBeLessThan(3000);
    const name = 'signet_http_request_duration_seconds_count';
    expect([metricOf(before, name, '/token'), metricOf(text, name, '/token')]).toEqual([6, 6]);
    running.process.kill('SIGTERM');
    const signalled = performance.now();
    expect(await exitOf(running)).toBe(1);
    const elapsed = performance.now() - signalled;
    console.log(`exit with a hung worker: ${Math.round(elapsed)} ms (criterion 500 + 500)`);
    expect(elapsed).toBeLessThan(3000);
  });

  it('ends with the primary, whatever ended that', async () => {
    const running = await start();
    const workers = workersOf(running.process.pid);
    running.process.kill('SIGKILL');
    await expect.poll(() => workers.filter(isAlive)).toEqual([]);
  });
});

describe('a signal', () => {
  it('to the whole process group is one shutdown; a second one ends everything at once', async () => {
    const running = await start({ SHUTDOWN_DELAY_MS: '60000' });
    const workers = workersOf(running.process.pid);
    for (const pid of [running.process.pid ?? 0, ...workers]) process.kill(pid, 'SIGINT');
    await expect.poll(() => running.output()).toContain('SIGINT: shutting down');
    for (let i = 0; i < 4; i++) {
      const ready = await call(`${running.url}/health/ready`, { headers: { connection: 'close' } });
      expect([ready.status, ready.json.code]).toEqual([503, 'shutting_down']);
    }
    expect((await token(running)).status).toBe(200);
    // Later than the copies of the first signal, which do not count.
    await sleep(400);
    running.process.kill('SIGINT');
    const start2 = performance.now();
    expect(await exitOf(running)).toBe(1);
    expect(performance.now() - start2).toBeLessThan(1000);
    await expect.poll(() => workers.filter(isAlive)).toEqual([]);
  });
});
