import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limit } from './helpers/run/faults.js';
import { figure } from './helpers/run/figure.js';
import { exitOf, startGateway, type GatewayProcess } from './helpers/gateway/gateway.js';

describe('a shutdown', () => {
  let hung: Server;
  let BACKEND_HOST: string;
  beforeAll(async () => {
    hung = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(hung, 'listening');
    BACKEND_HOST = `http://127.0.0.1:${(hung.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    hung.close();
    hung.closeAllConnections();
  });
  const withHungRequest = async (env: Record<string, string>): Promise<GatewayProcess> => {
    const gateway = await startGateway({ BACKEND_HOST, BACKEND_TIMEOUT_MS: '60000', ...env });
    const arrived = once(hung, 'request');
    fetch(`${gateway.url}/token`, { method: 'POST' }).catch(() => undefined);
    await arrived;
    return gateway;
  };

  it('is not held up by a hung backend past its timeout', async () => {
    const gateway = await withHungRequest({ SHUTDOWN_TIMEOUT_MS: '300' });
    const start = performance.now();
    gateway.process.kill('SIGTERM');
    expect(await exitOf(gateway)).toBe(0);
    const elapsed = performance.now() - start;
    figure(`exit with a hung backend: ${Math.round(elapsed)} ms (criterion 300 + 500)`);
    expect(elapsed).toBeLessThan(limit(800, 10_000));
    await gateway.stop();
  });

  it('ends at once at the second signal', async () => {
    const gateway = await withHungRequest({ SHUTDOWN_TIMEOUT_MS: '30000' });
    gateway.process.kill('SIGTERM');
    await expect.poll(() => gateway.output()).toContain('shutting down');
    const start = performance.now();
    gateway.process.kill('SIGTERM');
    expect(await exitOf(gateway)).toBe(1);
    const elapsed = performance.now() - start;
    figure(`exit at the second signal: ${Math.round(elapsed)} ms (criterion 200)`);
    expect(elapsed).toBeLessThan(limit(200, 10_000));
    await gateway.stop();
  });

  it('takes the two SIGINT of a Ctrl-C, from the terminal and from npm, for one', async () => {
    const gateway = await withHungRequest({ SHUTDOWN_TIMEOUT_MS: '30000' });
    gateway.process.kill('SIGINT');
    gateway.process.kill('SIGINT');
    await expect.poll(() => gateway.output()).toContain('SIGINT: shutting down');
    await sleep(400);
    expect(gateway.process.exitCode).toBeNull();
    gateway.process.kill('SIGINT');
    expect(await exitOf(gateway)).toBe(1);
    await gateway.stop();
  });

  it('takes readiness down first, and answers Connection: close', async () => {
    const gateway = await startGateway({ SHUTDOWN_DELAY_MS: '2000' });
    gateway.process.kill('SIGTERM');
    await expect.poll(() => gateway.output()).toContain('shutting down');
    const ready = await fetch(`${gateway.url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ code: 'shutting_down' });
    const token = await fetch(`${gateway.url}/token`, { method: 'POST' });
    expect([token.status, token.headers.get('connection')]).toEqual([200, 'close']);
    gateway.process.kill('SIGKILL');
    await exitOf(gateway);
    await gateway.stop();
  });
});
