import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from './helpers/gateway.js';

const ROUNDS = 5;
const REQUESTS_PER_SECOND = 500;

/** A load balancer: sends steadily over keep-alive connections until readiness is down. */
async function balance({ url }: Gateway, failures: string[]): Promise<number> {
  const dispatcher = new Agent({ connections: 20 });
  const unready = new AbortController();
  const probing = (async () => {
    while (!unready.signal.aborted) {
      const probe = await request(`${url}/health/ready`, { dispatcher });
      await probe.body.dump();
      if (probe.statusCode !== 200) unready.abort();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const sent: Promise<void>[] = [];
  const send = async (): Promise<void> => {
    try {
      const { statusCode, body } = await request(`${url}/token`, { method: 'POST', dispatcher });
      const text = await body.text();
      if (statusCode !== 200 || !text.includes('eyJ')) failures.push(`status ${statusCode}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  const start = performance.now();
  while (!unready.signal.aborted) {
    const due = ((performance.now() - start) * REQUESTS_PER_SECOND) / 1000;
    while (sent.length < due) sent.push(send());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([...sent, probing]);
  await dispatcher.close();
  return sent.length;
}

const exitOf = async ({ process: child }: Gateway): Promise<number | null> => {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
};

describe('SIGTERM under load', () => {
  it(`loses no request in ${ROUNDS} rounds`, async () => {
    const failures: string[] = [];
    let requests = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const gateway = await startGateway({ SHUTDOWN_DELAY_MS: '300' });
      const load = balance(gateway, failures);
      await expect
        .poll(() => gateway.log().filter(({ status }) => status === 200).length)
        .toBeGreaterThan(100);
      gateway.process.kill('SIGTERM');
      requests += await load;
      expect(await exitOf(gateway)).toBe(0);
      await gateway.stop();
    }
    console.log(
      `${ROUNDS} SIGTERMs at ${REQUESTS_PER_SECOND} requests/s: ${requests} requests, ${failures.length} failed (criterion 0)`,
    );
    expect(failures).toEqual([]);
  }, 60_000);
});

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
  const withHungRequest = async (env: Record<string, string>): Promise<Gateway> => {
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
    console.log(`exit with a hung backend: ${Math.round(elapsed)} ms (criterion 300 + 500)`);
    expect(elapsed).toBeLessThan(800);
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
    console.log(`exit at the second signal: ${Math.round(elapsed)} ms (criterion 200)`);
    expect(elapsed).toBeLessThan(200);
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
    gateway.process.kill('SIGTERM');
    await exitOf(gateway);
    await gateway.stop();
  });
});
