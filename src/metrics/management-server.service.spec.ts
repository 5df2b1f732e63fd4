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

  const start = async (options: Partial<MetricsModuleOptions>): Promise<string> => {
    const metrics = { text: async () => ({ contentType: 'text/plain', body: 'up 1\n' }) };
    server = new ManagementServer(
      { host: '127.0.0.1', port: 0, ...options },
      metrics as GatewayMetrics,
      { explains: false } as ManagementAnswers,
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
