import type { NestExpressApplication } from '@nestjs/platform-express';
import { expect, it, vi } from 'vitest';
import type { Environment } from '../environment/index.js';
import type { Log } from '../logging/index.js';
import { configureApp } from './configure-app.js';

it('adds one layer to Express, whatever it does in it', () => {
  const use = vi.fn<(middleware: unknown) => void>();
  const app = {
    use,
    disable: vi.fn<() => void>(),
    useSecurityHeaders: vi.fn<() => void>(),
    useGlobalFilters: vi.fn<() => void>(),
    get: () => ({
      countDroppedLines: () => undefined,
      begin: () => undefined,
      end: () => undefined,
    }),
    getHttpServer: () => ({ on: () => undefined }),
    getHttpAdapter: () => ({}),
  };
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
    CORS_ORIGINS: ['https://app.example'],
  } as Environment;
  configureApp(app as unknown as NestExpressApplication, env, { pino: {} } as Log);
  expect(use).toHaveBeenCalledTimes(1);
});
