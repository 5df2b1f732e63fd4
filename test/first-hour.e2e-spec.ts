// What a team sees when something goes wrong in the first hour: who is to blame, and where it is written.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { Controller, Get, Injectable, Module, Post, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AuthModule,
  BackendClient,
  BackendModule,
  ErrorFilter,
  JwksModule,
  RequireJwt,
  SignFields,
  SigningModule,
} from '../src/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { createCertificate } from './helpers/network/certificate.js';
import { freePort } from './helpers/run/free-port.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call } from './helpers/network/http.js';
import { hang } from './helpers/issuers/issuer.js';

const TIMEOUT_MS = 300;

const servers: Server[] = [];
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Each way in which a backend is dead, with its URL and what is said of it. */
const DEAD: Record<string, { url: string; said: RegExp }> = {};
beforeAll(async () => {
  const { cert, key } = createCertificate('backend');
  DEAD.refused = { url: `http://127.0.0.1:${await freePort()}`, said: /\(ECONNREFUSED\)/ };
  // Where there is no resolver, it may be the deadline that ends the search.
  DEAD['unknown name'] = {
    url: 'http://backend.invalid:8085',
    said: /ENOTFOUND|EAI_|within|in time/,
  };
  const secure = createTlsServer({ cert, key }, hang);
  DEAD['a certificate of nobody'] = {
    url: `https://127.0.0.1:${await listen(secure)}`,
    said: /\((?:DEPTH_ZERO_)?SELF_SIGNED_CERT/,
  };
  DEAD['no answer'] = {
    url: `http://127.0.0.1:${await listen(createServer(hang))}`,
    said: new RegExp(`within ${TIMEOUT_MS} ms`),
  };
});
afterAll(() => {
  for (const server of servers) server.close();
});
const KINDS = ['refused', 'unknown name', 'a certificate of nobody', 'no answer'] as const;
const urls = (): string[] => KINDS.map((kind) => DEAD[kind]?.url ?? '');

/** The lines of an application of the library, each with its level. */
let lines: string[] = [];
const noteAs =
  (level: string) =>
  (message: unknown, ...rest: unknown[]): void =>
    void lines.push(`${level} ${String(rest.at(-1))}: ${JSON.stringify(message)}`);
const LOGGER = { log: () => undefined, warn: noteAs('warn'), error: noteAs('error') };

const issuer = createTestIssuer();

/** What a handler of the application's own gets wrong, by the code of the refusal. */
const MISTAKES: Record<string, object> = {
  sign_target_missing: { other: {} },
  sign_target_invalid: { receipt: 'no claims' },
  claims_expired: { receipt: { exp: 1 } },
  claims_invalid: { receipt: { sub: 7 } },
  token_too_large: { receipt: { text: 'x'.repeat(20_000) } },
};
let mistake: object = {};

@Injectable()
class Shop {
  constructor(private readonly backend: BackendClient) {}
  async load() {
    return await this.backend.call({ path: '/orders' });
  }
}
@Controller()
class Orders {
  constructor(private readonly shop: Shop) {}
  @Get('orders') orders() {
    return this.shop.load();
  }
  @Get('closed') @RequireJwt() closed() {
    return {};
  }
  @Post('receipt') @SignFields('receipt') receipt() {
    return mistake as { receipt: object };
  }
  @Get('broken') broken() {
    throw new TypeError('no such member');
  }
}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});
async function start(filter: boolean, logFailures?: boolean): Promise<string> {
  lines = [];
  @Module({
    imports: [
      JwksModule.forRoot(issuer.jwksOptions),
      SigningModule.forRoot({ alg: issuer.alg }),
      AuthModule.forRoot(issuer.authOptions),
      BackendModule.forRoot({ host: urls(), timeoutMs: TIMEOUT_MS, logFailures }),
    ],
    controllers: [Orders],
    providers: [Shop],
  })
  class App {}
  app = await NestFactory.create(App, { logger: LOGGER, abortOnError: false });
  if (filter) app.useGlobalFilters(new ErrorFilter({ explain: true }));
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

describe('a dead backend', () => {
  it.each([true, false])(
    'is an error with host and port in the log of an application; ErrorFilter: %s',
    async (filter) => {
      const url = await start(filter);
      // The hosts take turns.
      for (const _kind of KINDS) expect((await call(`${url}/orders`)).status).toBeGreaterThan(501);
      for (const kind of KINDS) {
        const { url: origin = '', said } = DEAD[kind] ?? {};
        const told = lines.filter((line) => line.includes(`the backend at ${origin} failed`));
        expect([kind, told]).toEqual([kind, [expect.stringMatching(said ?? /^$/)]]);
        expect(told[0]).toMatch(/^error Backend: /);
      }
    },
  );

  it('is no line where the options say so', async () => {
    const url = await start(true, false);
    for (const _kind of KINDS) await call(`${url}/orders`);
    expect(lines).toEqual([]);
  });

  it('is one line of level error of the gateway, which serves other requests at info', async () => {
    const gateway = await hostGateway({
      BACKEND_HOST: urls().join(','),
      BACKEND_TIMEOUT_MS: String(TIMEOUT_MS),
    });
    for (const _kind of KINDS)
      expect((await call(`${gateway.url}/token`, { method: 'POST' })).status).toBeGreaterThan(501);
    await call(`${gateway.url}/private/custom`);
    await call(`${gateway.url}/nowhere`);
    await call(`${gateway.url}/.well-known/jwks.json`);
    await gateway.stop();
    for (const kind of KINDS) {
      const { url = '', said } = DEAD[kind] ?? {};
      const told = gateway.log().filter((line) => JSON.stringify(line).includes(url));
      expect(told).toMatchObject([
        { level: 50, msg: 'request', reason: expect.stringMatching(said ?? /^$/) as string },
      ]);
    }
    const levels = gateway
      .log()
      .filter(({ msg }) => msg === 'request')
      .map(({ status, level }) => `${String(status)} ${String(level)}`);
    expect(levels.slice(-3)).toEqual(['401 30', '404 30', '200 30']);
  });
});

describe('an application of the library', () => {
  it.each(Object.entries(MISTAKES))(
    'is told of its own mistake as such: %s',
    async (code, returned) => {
      const url = await start(true);
      mistake = returned;
      const { status, json } = await call(`${url}/receipt`, { method: 'POST' });
      expect([status, json.code]).toEqual([502, code]);
      expect(JSON.stringify(json)).not.toMatch(/backend/i);
      expect(lines).toEqual([
        expect.stringMatching(new RegExp(`^error Signing: "Orders\\.receipt: 502 ${code}: `)),
      ]);
    },
  );

  it('has a refusal at warn, and what it throws by accident at error', async () => {
    const url = await start(true);
    await call(`${url}/closed`);
    await call(`${url}/broken`);
    expect(lines).toEqual([
      expect.stringMatching(/^warn Auth: "Orders\.closed: 401 token_missing/),
      expect.stringMatching(/^error ErrorFilter: .*no such member/),
    ]);
  });
});
