import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import { ErrorFilter } from '../http/index.js';
import { Throttled } from './index.js';

let app: INestApplication | undefined;
afterEach(() => app?.close());

@Controller()
class Routes {
  @Throttled({ limit: 2, ttlMs: 3_600_000 })
  @Get('a')
  a(): string {
    return 'a';
  }

  @Throttled({ limit: 1, ttlMs: 3_600_000 })
  @Get('b')
  b(): string {
    return 'b';
  }

  @Throttled({ limit: 0 })
  @Get('free')
  free(): string {
    return 'free';
  }
}

@Module({ controllers: [Routes] })
class Root {}

describe('Throttled', () => {
  it('limits each route for itself, without a module', async () => {
    app = await NestFactory.create(Root, { logger: false });
    app.useGlobalFilters(new ErrorFilter());
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const statuses = async (path: string): Promise<number[]> => {
      const found: number[] = [];
      for (let i = 0; i < 3; i++) found.push((await fetch(`${url}/${path}`)).status);
      return found;
    };
    expect(await statuses('a')).toEqual([200, 200, 429]);
    expect(await statuses('b')).toEqual([200, 429, 429]);
    expect(await statuses('free')).toEqual([200, 200, 200]);
    const refused = await fetch(`${url}/a`);
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
  });

  it.each([{ limit: '10' }, { limit: 1, ttl: 1000 }, { limit: 1, ttlMs: 0 }])(
    'refuses %j',
    (options) => {
      expect(() => Throttled(options as never)).toThrow(/^@Throttled: /);
    },
  );
});
