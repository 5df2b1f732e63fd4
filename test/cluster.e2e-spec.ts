import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { figure } from './helpers/run/figure.js';
import {
  exitOf,
  refuseToBoot,
  startGateway,
  type Gateway,
  type GatewayProcess,
} from './helpers/gateway/gateway.js';
import { limit } from './helpers/run/faults.js';
import { call } from './helpers/network/http.js';
import { isAlive, metricOf, workersOf } from './helpers/gateway/processes.js';

let gateway: GatewayProcess | undefined;
const start = async (env: Record<string, string> = {}): Promise<GatewayProcess> => {
  gateway = await startGateway({ WORKERS: '2', ...env });
  return gateway;
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
    const running = await start({ WORKERS: '3' });
    expect(workersOf(running.process.pid)).toHaveLength(3);
    for (let i = 0; i < 9; i++) expect((await token(running)).status).toBe(200);
    for (const line of ['Listening on', 'the demo backend answers', 'Created keys/', 'Metrics on'])
      expect([line, linesWith(running, line)]).toEqual([line, 1]);
    expect(readdirSync(join(running.cwd, 'keys'))).toEqual(['signing.jwks.json']);
    const text = await running.metrics();
    expect(metricOf(text, 'signet_workers')).toBe(3);
    expect(metricOf(text, 'signet_http_request_duration_seconds_count', '/token')).toBe(9);
    expect(text).toMatch(/signet_build_info\{version="[\d.]+",node="v\d+\.\d+\.\d+"\} 1\n/);
    expect(metricOf(text, 'signet_event_loop_delay_seconds')).toBeLessThan(10);
    expect(text).not.toMatch(/ (?:null|undefined)$/m);
    interface Status {
      workers: { processes: { pid: number; requests: { total: number } }[] };
      requests: object;
      problems: string[];
    }
    const told = async (): Promise<Status> =>
      (await (await fetch(`${running.management}/status.json`)).json()) as Status;
    // On a busy machine a worker may not answer in time.
    await expect.poll(async () => (await told()).workers.processes).toHaveLength(3);
    const status = await told();
    expect(status.workers.processes.map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual(
      workersOf(running.process.pid).toSorted((a, b) => a - b),
    );
    expect(status).toMatchObject({ problems: [], requests: { total: 9, failed: 0 } });
    expect(await running.stop()).toBe(0);
    expect(linesWith(running, 'shutting down')).toBe(1);
  });

  it('are not started with an environment that cannot be used', async () => {
    const { code, output } = await refuseToBoot({ WORKERS: '3', PORT: 'x', LOG_LEVEL: 'x' });
    expect(code).toBe(1);
    expect(output.match(/signet: PORT/g)).toHaveLength(1);
    expect(output.trim().split('\n')).toHaveLength(2);
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
    const replaced = Math.round(performance.now() - killed);
    figure(`replaced after SIGKILL: ${replaced} ms (criterion 2000)`);
    expect(replaced).toBeLessThan(limit(2000, 20_000));
    expect(workersOf(running.process.pid)).toContain(survivor);
    expect(await count()).toBe(10);
    for (let i = 0; i < 4; i++) expect((await token(running)).status).toBe(200);
    expect(await count()).toBe(14);
    expect(metricOf(await running.metrics(), 'signet_worker_restarts_total')).toBe(1);
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
    const signalled = performance.now();
    expect(await exitOf(running)).toBe(1);
    expect(performance.now() - signalled).toBeLessThan(limit(200, 10_000));
    await expect.poll(() => workers.filter(isAlive)).toEqual([]);
  });
});
