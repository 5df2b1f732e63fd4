// A signed token per hop: a gateway, the orders behind it, and the billing behind those.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Header, Module, Post, Query, Req, Res, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLocalJWKSet, jwtVerify, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AuthModule,
  BackendClient,
  BackendModule,
  Claims,
  JwksModule,
  JwtSigner,
  RequireJwt,
  SignFields,
  SigningModule,
  type AuthModuleOptions,
  type BackendModuleOptions,
  type HopOptions,
  type RequireJwtOptions,
  type VerifiedClaims,
} from '../src/index.js';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { freePort } from './helpers/run/free-port.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call } from './helpers/network/http.js';
import { generateJwk, part, publicHalf, writeKeys } from './helpers/issuers/keys.js';

const ISSUERS = {
  gateway: 'https://gateway.example',
  orders: 'https://orders.internal',
  billing: 'https://billing.internal',
};
const API = 'https://api.example';
const BILLING = 'https://billing.internal';
type Service = keyof typeof ISSUERS;

const keys = {} as Record<Service, JWK>;
const apps: { close(): Promise<void> }[] = [];
const urls = {} as Record<Service, string>;
const signers = {} as Record<Service, JwtSigner>;

/** What a service tells of a request that it accepted. */
interface Told {
  token: string;
  claims: VerifiedClaims;
  next?: Told;
}
const told = (request: IncomingMessage, claims: VerifiedClaims): Told => ({
  token: String(request.headers['txn-token']),
  claims,
});

/** The keys of a service, as others know them. */
const publicKeys = (of: Service): string => writeKeys([publicHalf(keys[of])]);

interface Options {
  controllers: Type[];
  auth?: Partial<AuthModuleOptions>;
  backend?: Partial<BackendModuleOptions>;
  signing?: boolean;
}

async function boot(
  service: Service,
  { controllers, auth = {}, backend = { host: 'http://127.0.0.1:9' }, signing = true }: Options,
  port = 0,
): Promise<{ url: string; signer: JwtSigner | undefined }> {
  @Module({
    imports: [
      JwksModule.forRoot({
        signing: { path: writeKeys([keys[service]]) },
        reloadIntervalMs: 0,
      }),
      ...(signing
        ? [SigningModule.forRoot({ alg: 'ES256', issuer: ISSUERS[service], audience: API })]
        : []),
      BackendModule.forRoot({ host: '', timeoutMs: 20_000, ...backend }),
      AuthModule.forRoot({
        algorithms: ['ES256'],
        issuer: ISSUERS[service],
        audience: API,
        ...auth,
      }),
    ],
    controllers,
  })
  class App {}
  const app = await NestFactory.create(App, { logger: false, abortOnError: false });
  apps.push(app);
  await app.listen(port, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`,
    signer: signing ? app.get(JwtSigner) : undefined,
  };
}

/** A route of a service behind `caller`. */
const behind = (caller: Service, audience: string): RequireJwtOptions => ({
  hop: true,
  audience,
  issuers: [{ issuer: ISSUERS[caller], jwkLocalPath: publicKeys(caller), algorithms: ['ES256'] }],
});

beforeAll(async () => {
  for (const service of ['gateway', 'orders', 'billing'] as const)
    keys[service] = await generateJwk('ES256', service);

  @Controller()
  class Billing {
    @Get('bill')
    @RequireJwt({ ...behind('orders', BILLING), scopes: ['bill'] })
    bill(@Req() request: IncomingMessage, @Claims() claims: VerifiedClaims): Told {
      return told(request, claims);
    }
  }
  ({ url: urls.billing } = await boot('billing', { controllers: [Billing] }));

  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  @Controller()
  class Orders {
    constructor(private readonly backend: BackendClient) {}

    @Get('orders')
    @RequireJwt({ ...behind('gateway', origin), scopes: ['orders'] })
    async orders(@Req() from: IncomingMessage, @Claims() claims: VerifiedClaims): Promise<Told> {
      const hop = { audience: BILLING, claims: ['tenant.id'], scopes: ['bill', 'other'] };
      const { body } = await this.backend.call<Told>({ path: '/bill', from, hop });
      return { ...told(from, claims), next: body };
    }
  }
  ({ url: urls.orders } = await boot(
    'orders',
    { controllers: [Orders], backend: { host: urls.billing } },
    port,
  ));

  @Controller()
  class Gateway {
    constructor(private readonly backend: BackendClient) {}

    @Get('orders')
    @RequireJwt({
      scopes: ['orders'],
      hop: { claims: ['tenant', 'amr'], scopes: ['orders', 'bill', 'admin'], ttl: 20 },
    })
    orders(@Req() from: IncomingMessage, @Res() to: ServerResponse): Promise<void> {
      return this.backend.proxy({ path: '/orders', from, to });
    }
  }
  const gateway = await boot('gateway', {
    controllers: [Gateway],
    backend: { host: urls.orders, inputHeaders: ['Txn-Token', 'Txn_Token'] },
  });
  urls.gateway = gateway.url;
  signers.gateway = gateway.signer as JwtSigner;
});
afterAll(() => Promise.all(apps.map((app) => app.close())));

const now = (): number => Math.floor(Date.now() / 1000);
const FORMAT = { alg: 'ES256', kid: 'auto', typ: 'JWT', full: false } as const;
const userToken = async (claims: object = {}): Promise<string> =>
  signers.gateway.sign(
    {
      sub: 'alice',
      iss: ISSUERS.gateway,
      aud: API,
      iat: now(),
      exp: now() + 600,
      jti: 'j',
      roles: ['r'],
      scope: 'orders bill read',
      tenant: { id: 'acme', plan: 9_007_199_254_740_993n.toString() },
      ...claims,
    },
    FORMAT,
  );
const ask = (url: string, headers: Record<string, string>) => call(url, { headers });
const order = async (token: string): Promise<Told & { next: Told }> => {
  const { status, json } = await ask(`${urls.gateway}/orders`, {
    authorization: `Bearer ${token}`,
    'txn-token': 'forged',
    txn_token: 'forged',
  });
  expect(status).toBe(200);
  return json as unknown as Told & { next: Told };
};

describe('each hop gets a token of its own', () => {
  it('with the user, what was chosen, and no more scopes', async () => {
    const { token, claims, next } = await order(await userToken());
    expect(part(token, 0)).toEqual({ alg: 'ES256', kid: 'gateway', typ: 'txntoken+jwt' });
    expect(claims).toEqual({
      sub: 'alice',
      tenant: { id: 'acme', plan: '9007199254740993' },
      scope: 'orders bill',
      iss: ISSUERS.gateway,
      aud: urls.orders,
      iat: expect.any(Number) as number,
      exp: Number(claims.iat) + 20,
      txn: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    });
    expect(part(next.token, 0)).toEqual({ alg: 'ES256', kid: 'orders', typ: 'txntoken+jwt' });
    expect(next.claims).toEqual({
      sub: 'alice',
      'tenant.id': 'acme',
      scope: 'bill',
      iss: ISSUERS.orders,
      aud: BILLING,
      iat: expect.any(Number) as number,
      // No longer than the one before.
      exp: claims.exp,
      txn: claims.txn,
    });
  });

  it('that any JOSE library checks', async () => {
    const { token } = await order(await userToken());
    const set = createLocalJWKSet({ keys: [publicHalf(keys.gateway)] });
    const { payload } = await jwtVerify(token, set, {
      issuer: ISSUERS.gateway,
      audience: urls.orders,
      typ: 'txntoken+jwt',
    });
    expect(payload.sub).toBe('alice');
  });

  it('that is worth nothing elsewhere', async () => {
    const user = await userToken();
    const { token: first, next } = await order(user);
    const tokens = { user, first, second: next.token };
    const outcomes: Record<string, string> = {};
    for (const [name, token] of Object.entries(tokens))
      for (const [service, path] of [
        ['gateway', '/orders'],
        ['orders', '/orders'],
        ['billing', '/bill'],
      ] as const)
        for (const [header, prefix] of [
          ['authorization', 'Bearer '],
          ['txn-token', ''],
        ] as const) {
          const { status } = await ask(urls[service] + path, { [header]: prefix + token });
          outcomes[`${name} at ${service} in ${header}`] = String(status);
        }
    const accepted = Object.entries(outcomes).filter(([, status]) => status === '200');
    expect(accepted.map(([where]) => where)).toEqual([
      'user at gateway in authorization',
      'first at orders in txn-token',
      'second at billing in txn-token',
    ]);
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['200', '401']));
  });

  it('used again while half of its life remains', async () => {
    const user = await userToken();
    const [{ token: one }, { token: two }] = [await order(user), await order(user)];
    expect(two).toBe(one);
    expect((await order(await userToken({ jti: 'other' }))).token).not.toBe(one);
    // It cannot outlive the user's, so half of its life is over soon.
    const short = await userToken({ exp: now() + 4 });
    const { token, claims } = await order(short);
    expect(claims.exp).toBe(part(short, 1).exp);
    await expect.poll(async () => (await order(short)).token, { timeout: 4000 }).not.toBe(token);
  });

  it('without what the user does not have', async () => {
    const { claims } = await order(await userToken({ scope: 'orders bill', tenant: undefined }));
    expect(claims).not.toHaveProperty('tenant');
    expect(claims).not.toHaveProperty('roles');
    expect((await order(await userToken({ sub: undefined }))).claims).not.toHaveProperty('sub');
    // The one that is needed at the second hop.
    const authorization = `Bearer ${await userToken({ scope: 'orders' })}`;
    expect((await ask(`${urls.gateway}/orders`, { authorization })).status).toBe(403);
  });

  it('one per call that says so, and none where it says none', async () => {
    const backend = await startBackend();
    await backend.answer('/a', { body: {} });
    @Controller()
    class Asking {
      constructor(private readonly client: BackendClient) {}
      @Get()
      @RequireJwt()
      async ask(@Req() from: IncomingMessage, @Query('hop') hop?: string): Promise<unknown> {
        const asked = hop === undefined ? undefined : (JSON.parse(hop) as boolean | HopOptions);
        await this.client.call({ path: '/a', from, hop: asked });
        return {};
      }
      @Get('nobody')
      async nobody(): Promise<unknown> {
        await this.client.call({ path: '/a' });
        return {};
      }
    }
    const { url } = await boot('gateway', {
      controllers: [Asking],
      backend: { host: [backend.url, backend.url], hop: { claims: ['roles'] } },
    });
    const sent = async (path: string): Promise<Record<string, unknown> | undefined> => {
      const { status } = await ask(url + path, { authorization: `Bearer ${await userToken()}` });
      expect(status).toBe(200);
      const token = (await backend.lastCall('/a')).headers['txn-token'];
      return token === undefined ? undefined : part(token, 1);
    };
    const standard = { sub: 'alice', aud: backend.url, roles: ['r'] };
    expect(await sent('/')).toMatchObject(standard);
    expect(await sent('/?hop=true')).toMatchObject(standard);
    expect(await sent('/?hop={"audience":"b","claims":[],"ttl":5}')).toEqual({
      sub: 'alice',
      iss: ISSUERS.gateway,
      aud: 'b',
      iat: expect.any(Number) as number,
      exp: expect.any(Number) as number,
      txn: expect.any(String) as string,
    });
    expect(await sent('/?hop=false')).toBeUndefined();
    const nobody = await sent('/nobody');
    expect(nobody).toMatchObject({ iss: ISSUERS.gateway, aud: backend.url });
    expect(nobody).not.toHaveProperty('sub');
    await backend.stop();
  });
});

describe('the token of the user', () => {
  it('goes to the backend where a call says so, with the cookies that are listed', async () => {
    const backend = await startBackend();
    await backend.answer('/a', { body: {} });
    @Controller()
    class Routes {
      constructor(private readonly client: BackendClient) {}
      @Get('call')
      @RequireJwt()
      async call(@Req() from: IncomingMessage, @Query('with') name?: string): Promise<unknown> {
        await this.client.call({ path: '/a', from, forwardToken: name === 'token' });
        return {};
      }
      @Get('proxy')
      @RequireJwt()
      proxy(
        @Req() from: IncomingMessage,
        @Res() to: ServerResponse,
        @Query('with') name?: string,
      ): Promise<void> {
        return this.client.proxy({ path: '/a', from, to, forwardToken: name === 'token' });
      }
    }
    const { url } = await boot('gateway', {
      controllers: [Routes],
      auth: { cookieKey: 'session' },
      backend: { host: backend.url, inputCookies: ['theme', 'session'] },
    });
    const token = await userToken();
    const sent = async (path: string, headers: Record<string, string>) => {
      expect((await ask(url + path, headers)).status).toBe(200);
      const { authorization, cookie } = (await backend.lastCall('/a')).headers;
      return { authorization, cookie };
    };
    const theme = 'a=1; theme=dark';
    const byHeader = { authorization: `Bearer ${token}`, cookie: theme };
    const byCookie = { cookie: `${theme}; session=${token}` };
    for (const path of ['/call', '/proxy'])
      for (const headers of [byHeader, byCookie]) {
        expect(await sent(path, headers)).toEqual({ cookie: 'theme=dark' });
        expect(await sent(`${path}?with=token`, headers)).toEqual({
          authorization: `Bearer ${token}`,
          cookie: 'theme=dark',
        });
      }
    await backend.stop();
  });
});

describe('the boot is refused', () => {
  const route = (options: RequireJwtOptions): Type => {
    @Controller()
    class Route {
      @Get()
      @RequireJwt(options)
      get(): void {}
    }
    return Route;
  };
  @Controller()
  class Signs {
    @Post()
    @Header('x', 'y')
    @SignFields({ fields: ['a'], typ: 'application/txntoken+JWT' })
    sign(): { a: object } {
      return { a: {} };
    }
  }

  it.each<[string, Options, RegExp]>([
    [
      'an outer route that takes inner tokens',
      { controllers: [route({ types: ['JWT', 'TxnToken+JWT'] })] },
      /'types' names txntoken\+jwt/,
    ],
    [
      'the same for all routes',
      { controllers: [], auth: { types: ['txntoken+jwt'] } },
      /AuthModule: 'types' names txntoken\+jwt/,
    ],
    ...(['authHeaderName', 'cookieKey'] as const).map((name): [string, Options, RegExp] => [
      `hop: true with ${name}`,
      { controllers: [route({ hop: true, [name]: 'x' })] },
      new RegExp(`leave out '${name}'`),
    ]),
    [
      'hop without SigningModule',
      { controllers: [route({ hop: {} })], signing: false },
      /'hop' needs SigningModule/,
    ],
    [
      'hop for all calls without SigningModule',
      { controllers: [], signing: false, backend: { host: 'http://a', hop: true } },
      /'hop' needs SigningModule/,
    ],
    ['a ttl of 1', { controllers: [route({ hop: { ttl: 1 } })] }, /ttl/],
    ['claims that are its own', { controllers: [route({ hop: { claims: ['cnf'] } })] }, /cnf/],
    ['an unknown option', { controllers: [route({ hop: { aud: 'x' } as HopOptions })] }, /aud/],
    ['claims that pretend to be one', { controllers: [Signs] }, /'typ' is txntoken\+jwt/],
  ])('for %s', async (_what, options, problem) => {
    await expect(boot('gateway', options)).rejects.toThrow(problem);
  });
});

describe('the gateway', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend();
    const claims = { sub: 'u', roles: ['role_a'], scope: 'read' };
    await backend.answer('/token.json', { body: { access_token: claims } });
    await backend.answer('/user/1.json', { body: {} });
  });
  afterAll(() => backend.stop());

  it.each([
    ['', undefined, undefined],
    ['its origin', {}, undefined],
    ['a name', { BACKEND_TOKEN_AUDIENCE: 'https://login', BACKEND_TOKEN_TTL: '5' }, 5],
  ])('tells the backend who asks, for %s', async (audience, env, ttl = 30) => {
    const gateway = await hostGateway({
      BACKEND_HOST: backend.url,
      SIGNER_ALG: 'ES256',
      ...(env === undefined ? {} : { BACKEND_TOKEN: 'on', ...env }),
    });
    const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
    const login = (await backend.lastCall('/token.json')).headers['txn-token'];
    await ask(`${gateway.url}/private/custom`, {
      authorization: `Bearer ${String(json.access_token)}`,
      'txn-token': 'forged',
    });
    const custom = (await backend.lastCall('/user/1.json')).headers['txn-token'];
    const isOn = audience !== '';
    const aud = audience === 'a name' ? 'https://login' : backend.url;
    const life = { iat: expect.any(Number) as number, exp: expect.any(Number) as number };
    const common = { iss: expect.any(String) as string, aud, txn: expect.any(String) as string };
    const read = [login, custom].map((token) => (token === undefined ? token : part(token, 1)));
    expect(read).toEqual(
      isOn
        ? [
            { ...common, ...life },
            { ...common, ...life, sub: 'u' },
          ]
        : [undefined, undefined],
    );
    const lives = read.map((claims) => Number(claims?.exp) - Number(claims?.iat));
    expect(lives).toEqual(isOn ? [ttl, ttl] : [NaN, NaN]);
    await gateway.stop();
  });
});
