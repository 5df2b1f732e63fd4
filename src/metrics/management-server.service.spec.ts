import { createServer, type AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { BootError } from '../core/errors/index.js';
import type { GatewayMetrics } from './gateway-metrics.service.js';
import type { ManagementAnswers } from './management-answers.service.js';
import { ManagementServer } from './management-server.service.js';
import type { MetricsModuleOptions } from './metrics.module-definition.js';

describe('ManagementServer', () => {
  let log: MockInstance;
  let server: ManagementServer | undefined;
  beforeEach(() => {
    log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
  });
  afterEach(() => {
    server?.onApplicationShutdown();
    vi.restoreAllMocks();
  });

  const STATUS = {
    pid: 7,
    keySets: [],
    rotation: [],
    store: { staleSeconds: 0, clockSkew: 0, skippedRevocations: 0 },
    requests: { total: 0, failed: 0 },
    logins: {},
    refusals: {},
    lastRefusals: [],
  };
  const start = async (
    options: Partial<MetricsModuleOptions>,
    explains = false,
  ): Promise<string> => {
    const answers = {
      explains,
      answer: async (name: string, about: unknown): Promise<unknown> =>
        name === 'status' ? STATUS : { status: 200, body: `${name} ${JSON.stringify(about)}` },
    };
    const metrics = { text: async () => ({ contentType: 'text/plain', body: 'up 1\n' }) };
    server = new ManagementServer(
      { host: '127.0.0.1', port: 0, ...options },
      metrics as GatewayMetrics,
      answers as unknown as ManagementAnswers,
    );
    await server.onApplicationBootstrap();
    return /http:\S+/.exec(String(log.mock.lastCall))?.[0] ?? '';
  };

  it('serves the metrics until the application ends', async () => {
    const url = await start({});
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe('up 1\n');
    expect((await fetch(url.replace('/metrics', '/_explain'))).status).toBe(404);
    server?.onApplicationShutdown();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('shows the status of the one process', async () => {
    const url = await start({});
    const status = await (await fetch(url.replace('/metrics', '/status.json'))).json();
    expect(status).toMatchObject({
      problems: [],
      workers: { serving: 1, restarts: 0, processes: [{ pid: 7 }] },
      explainPage: false,
    });
  });

  it('hands questions about tokens on where there is an explain page', async () => {
    const url = await start({}, true);
    const page = url.replace('/metrics', '/_explain');
    expect((await fetch(page)).status).toBe(200);
    const verdict = await fetch(page, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"token":"x"}',
    });
    expect(await verdict.text()).toBe('explanation {"token":"x"}');
  });

  it('listens nowhere without a port', async () => {
    expect(await start({ port: undefined })).toBe('');
  });

  it('refuses to boot for a port in use, or warns where the port is optional', async () => {
    const other = createServer();
    await new Promise<void>((listening) => void other.listen(0, '127.0.0.1', listening));
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow(BootError);
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    expect(await start({ port, optional: true })).toBe('');
    expect(String(warn.mock.lastCall)).toContain(`${port} cannot be listened on (EADDRINUSE)`);
    other.close();
  });
});
