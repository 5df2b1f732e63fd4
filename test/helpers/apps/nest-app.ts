import type { AddressInfo } from 'node:net';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ErrorFilter } from '../../../src/http/index.js';

/** An application of a user of the library, in this process. */
export interface NestApp {
  app: INestApplication;
  url: string;
}

/** Boots it on a free port. Its errors are those of the library, explained. */
export async function startNestApp(root: Type): Promise<NestApp> {
  const app = await NestFactory.create(root, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ErrorFilter({ explain: true }));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}` };
}
