import type { AddressInfo } from 'node:net';
import { Controller, Global, Module, Post, UseGuards } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ErrorFilter } from '../http/index.js';
import { STATE_STORE, StateUnavailableException, type Hits } from '../state/index.js';
import { ThrottleModule } from './throttle.module.js';
import type { ThrottleModuleOptions } from './throttle.module-definition.js';
import { TokenThrottleGuard } from './token-throttle.guard.js';

@Controller('login')
@UseGuards(TokenThrottleGuard)
class LoginController {
  @Post() login() {}
}
@Controller('revoke')
@UseGuards(TokenThrottleGuard)
class RevokeController {
  @Post() revoke() {}
}

let app: NestExpressApplication | undefined;
afterEach(async () => {
  await app?.close();
  store.hit.mockReset();
});

const store = { hit: vi.fn<(key: string, windowMs: number) => Promise<Hits>>() };

@Global()
@Module({ providers: [{ provide: STATE_STORE, useValue: store }], exports: [STATE_STORE] })
class StoreModule {}

/** Sends requests from an address to an application with these limits. */
async function start(options?: Partial<ThrottleModuleOptions>) {
  const testing = await Test.createTestingModule({
    imports: [
      StoreModule,
      ...(options === undefined ? [] : [ThrottleModule.forRoot({ limit: 2, ...options })]),
    ],
    controllers: [LoginController, RevokeController],
  }).compile();
  app = testing.createNestApplication<NestExpressApplication>();
  app.set('trust proxy', true);
  app.useGlobalFilters(new ErrorFilter());
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return (path: string, address: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/${path}`, {
      method: 'POST',
      headers: { 'x-forwarded-for': address },
    });
}

describe('TokenThrottleGuard', () => {
  it('counts the requests of one address to all routes together', async () => {
    const send = await start({});
    expect((await send('login', '192.0.2.1')).status).toBe(201);
    expect((await send('revoke', '192.0.2.1')).status).toBe(201);
    for (const path of ['login', 'revoke']) {
      const refused = await send(path, '192.0.2.1');
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toMatch(/^(?:59|60)$/);
      expect(refused.headers.get('pragma')).toBe('no-cache');
      expect(await refused.json()).toMatchObject({
        error: 'invalid_request',
        code: 'rate_limited',
      });
    }
    const other = await send('login', '192.0.2.2');
    expect(other.status).toBe(201);
    expect([...other.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([]);
  });

  it('takes the addresses of an IPv6 network for one client', async () => {
    const send = await start({ limit: 1 });
    expect((await send('login', '2001:db8:0:1::1')).status).toBe(201);
    expect((await send('login', '2001:db8:0:1:ffff::2')).status).toBe(429);
    expect((await send('login', '2001:db8:1::1')).status).toBe(201);
  });

  it('counts nothing where there is no limit', async () => {
    const send = await start({ limit: 0, shared: true });
    for (let i = 0; i < 3; i++) expect((await send('login', '192.0.2.1')).status).toBe(201);
    expect(store.hit).not.toHaveBeenCalled();
  });

  it('counts in the store where there are several processes, under the address', async () => {
    store.hit.mockResolvedValue({ hits: 3, resetMs: 1500 });
    const send = await start({ shared: true });
    const refused = await send('login', '192.0.2.1');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
    expect(store.hit).toHaveBeenCalledExactlyOnceWith('192.0.2.1', 60_000);
  });

  it('keeps the limit while the store does not answer', async () => {
    store.hit.mockRejectedValue(new StateUnavailableException('no answer'));
    const send = await start({ limit: 1, shared: true });
    expect((await send('login', '192.0.2.1')).status).toBe(201);
    expect((await send('login', '192.0.2.1')).status).toBe(429);
  });

  it('does not boot on a route of an application without ThrottleModule', async () => {
    await expect(start()).rejects.toThrow('TokenThrottleGuard needs ThrottleModule');
  });

  it('does not boot where processes are to count together without a store', async () => {
    const testing = Test.createTestingModule({
      imports: [ThrottleModule.forRoot({ limit: 1, shared: true })],
    });
    await expect(testing.compile()).rejects.toThrow("ThrottleModule: 'shared' needs StateModule");
  });
});
