import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt, type AuthModuleOptions } from '../src/auth/index.js';
import { ErrorFilter } from '../src/http/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { StateModule } from '../src/state/index.js';
import { ProtectedResourceModule } from '../src/well-known/index.js';
import { createDpopClient } from './helpers/sessions/dpop.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, exchange, type Answer } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const OTHER = 'https://id.example.com/tenant';

@Controller('orders')
class OrdersController {
  @Get() @RequireJwt({ scopes: ['orders:read'] }) list(): object {
    return {};
  }
  @Get(':id') @RequireJwt({ scopes: ['orders:read', 'orders:all'] }) get(): object {
    return {};
  }
  @Post() @RequireJwt({ scopes: ['orders:write'], scopesMatcher: 'all' }) create(): object {
    return {};
  }
}

@Controller('bank')
@RequireJwt({ dpop: 'required', dpopAlgorithms: ['ES256'] })
class BankController {
  @Get() balance(): object {
    return {};
  }
  @Post('transfer')
  @RequireJwt({ dpop: 'required', acr: ['urn:mfa', 'phr'], maxAge: 300, scopes: ['transfer'] })
  transfer(): object {
    return {};
  }
}

@Controller()
class OtherController {
  @Get('open') open(): object {
    return {};
  }
  @Get('step-up') @RequireJwt({ acr: ['urn:mfa'], maxAge: 300, dpop: false }) stepUp(): object {
    return {};
  }
  @Get('fresh') @RequireJwt({ maxAge: 300 }) fresh(): object {
    return {};
  }
  @Get('partner')
  @RequireJwt({
    dpop: false,
    issuers: [
      { issuer: ISSUER, own: true },
      { issuer: OTHER, jwksUri: `${OTHER}/jwks` },
    ],
  })
  partner(): object {
    return {};
  }
}

let jwk: JWK;
let keys: string;
let app: NestExpressApplication | undefined;
let url = '';
beforeAll(async () => {
  jwk = await generateJwk('HS256', '1');
  keys = writeKeys([jwk]);
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Boot {
  options?: Partial<AuthModuleOptions>;
  /** Left out: `ProtectedResourceModule` is there. */
  metadata?: boolean;
  prefix?: string;
  /** Paths that the prefix leaves out. */
  exclude?: string[];
  trustProxy?: string;
}

async function boot({
  options = {},
  metadata = true,
  prefix,
  exclude,
  trustProxy,
}: Boot = {}): Promise<void> {
  @Module({
    imports: [
      JwksModule.forRoot({ signing: { path: keys } }),
      StateModule.forRoot({ url: 'memory:', longestTokenTtl: 60 }),
      AuthModule.forRoot({ algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE, ...options }),
      ...(metadata ? [ProtectedResourceModule.forRoot({ resourceName: 'Shop' })] : []),
    ],
    controllers: [OrdersController, BankController, OtherController],
  })
  class App {}
  app = await NestFactory.create<NestExpressApplication>(App, {
    logger: false,
    abortOnError: false,
  });
  if (prefix !== undefined) app.setGlobalPrefix(prefix, { exclude });
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  app.useGlobalFilters(new ErrorFilter({ explain: true }));
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  call(`${url}${path}`, { headers, method });
const withToken = async (path: string, claims: object = {}, method?: string): Promise<Answer> =>
  get(path, { authorization: `Bearer ${await tokenOf(jwk, { ...claims })}` }, method);
const challengeOf = ({ headers }: Answer): string => headers.get('www-authenticate') ?? '';
const metadataOf = async (path: string): Promise<Record<string, unknown>> =>
  (await get(`${WELL_KNOWN}${path}`)).json;

describe('protected resource metadata (RFC 9728)', () => {
  it.each<[string, string, object]>([
    [
      'section 2: the whole application, with each issuer and scope once',
      '',
      {
        authorization_servers: [ISSUER, OTHER],
        scopes_supported: ['orders:read', 'orders:all', 'orders:write', 'transfer'],
        bearer_methods_supported: ['header'],
        resource_name: 'Shop',
        dpop_signing_alg_values_supported: ['ES256'],
      },
    ],
    [
      'section 3.1: the routes at a path and below it',
      '/orders',
      {
        scopes_supported: ['orders:read', 'orders:all', 'orders:write'],
        authorization_servers: [ISSUER],
      },
    ],
    [
      'section 3.1: a path with a value for its parameter',
      '/orders/7',
      { scopes_supported: ['orders:read', 'orders:all'] },
    ],
    [
      'section 3.3: a slash at the end is part of what was asked for',
      '/orders/',
      { scopes_supported: ['orders:read', 'orders:all', 'orders:write'] },
    ],
    [
      'section 2: bound tokens, where each route below needs them',
      '/bank',
      {
        dpop_bound_access_tokens_required: true,
        dpop_signing_alg_values_supported: ['ES256'],
        bearer_methods_supported: undefined,
      },
    ],
    [
      'section 2: no empty list, and nothing of bound tokens where they are refused',
      '/partner',
      {
        authorization_servers: [ISSUER, OTHER],
        scopes_supported: undefined,
        dpop_signing_alg_values_supported: undefined,
        dpop_bound_access_tokens_required: undefined,
      },
    ],
  ])('%s', async (_, path, expected) => {
    await boot();
    const { status, headers, json } = await get(`${WELL_KNOWN}${path}`);
    expect(status).toBe(200);
    expect(json.resource).toBe(`${url}${path}`);
    for (const [name, value] of Object.entries(expected))
      expect([name, json[name]]).toEqual([name, value]);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    for (const value of Object.values(json)) expect(value).not.toEqual([]);
  });

  it.each(['/open', '/none', '/orders/7/lines', '/order', '/.well-known/oauth-protected-resource'])(
    'section 3.2: %s is no protected resource: 404',
    async (path) => {
      await boot();
      const { status, json } = await get(`${WELL_KNOWN}${path}`);
      expect([status, json.code]).toEqual([404, 'not_found']);
    },
  );

  it('section 3.3: the resource is the URL that the client asked for, whoever stands before', async () => {
    await boot({ trustProxy: 'loopback' });
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example' };
    const refused = await get('/orders/7?x=1', forwarded);
    const [, metadata = ''] = /resource_metadata="([^"]*)"/.exec(challengeOf(refused)) ?? [];
    expect(metadata).toBe(`https://shop.example${WELL_KNOWN}/orders/7`);
    const { json } = await get(new URL(metadata).pathname, forwarded);
    expect(json.resource).toBe('https://shop.example/orders/7');
  });

  it('section 3: with publicUrl no header of a client counts, and its path is understood', async () => {
    await boot({ options: { publicUrl: 'https://api.example/shop/' } });
    const answer = await exchange(
      url,
      'GET /orders HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(challengeOf(answer)).toContain(
      `resource_metadata="https://api.example/shop${WELL_KNOWN}/orders"`,
    );
    for (const path of ['/orders', '/shop/orders'])
      expect((await metadataOf(path)).resource).toBe('https://api.example/shop/orders');
    expect((await metadataOf('/shop')).resource).toBe('https://api.example/shop');
  });

  it('knows where routes are below a global prefix', async () => {
    await boot({ prefix: 'api' });
    expect(challengeOf(await get('/api/orders'))).toContain(
      `resource_metadata="${url}/api${WELL_KNOWN}/api/orders"`,
    );
    const { json } = await get(`/api${WELL_KNOWN}/api/orders`);
    expect(json.resource).toBe(`${url}/api/orders`);
  });

  it('section 3.1: is below the host where a global prefix leaves it out, as the manual says', async () => {
    const exclude = ['.well-known/*path'];
    expect(readFileSync('docs/library.md', 'utf8')).toContain(`exclude: ['${exclude[0]}']`);
    await boot({ prefix: 'api', exclude });
    expect(challengeOf(await get('/api/orders'))).toContain(
      `resource_metadata="${url}${WELL_KNOWN}/api/orders"`,
    );
    expect((await metadataOf('/api/orders')).resource).toBe(`${url}/api/orders`);
    expect((await metadataOf('')).resource).toBe(url);
  });

  it.each(['/orders"x', '/orders\\x', '/orders/a"b'])(
    'a target %j does not get into a challenge or a document',
    async (target) => {
      await boot();
      const raw = (path: string): Promise<Answer> =>
        exchange(url, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(challengeOf(await raw(target))).not.toContain('resource_metadata');
      expect((await raw(`${WELL_KNOWN}${target}`)).status).not.toBe(200);
    },
  );
});

describe('challenges', () => {
  const PLACE = (path: string): string => `resource_metadata="${url}${WELL_KNOWN}${path}"`;

  it('RFC 9728 section 5.1: 401 and 403 lead to the metadata, in each scheme', async () => {
    await boot({ options: { dpopAlgorithms: ['ES256'] } });
    expect(challengeOf(await get('/fresh'))).toBe(
      `Bearer realm="signet", ${PLACE('/fresh')}, DPoP algs="ES256", ${PLACE('/fresh')}`,
    );
    expect(challengeOf(await withToken('/fresh', { exp: 1 }))).toContain(PLACE('/fresh'));
    const forbidden = await withToken('/orders');
    expect([forbidden.status, forbidden.json.code]).toEqual([403, 'scopes_missing']);
    expect(challengeOf(forbidden)).toBe(
      `Bearer realm="signet", error="insufficient_scope", error_description="The token does not grant access to this resource.", scope="orders:read", ${PLACE('/orders')}, DPoP algs="ES256", scope="orders:read", ${PLACE('/orders')}`,
    );
  });

  it('RFC 6750 section 3: scope is what the route needs, also where there is no token', async () => {
    await boot();
    expect(challengeOf(await get('/orders'))).toContain('scope="orders:read"');
    expect(challengeOf(await get('/orders/7'))).toContain('scope="orders:read orders:all"');
    expect(challengeOf(await get('/orders', {}, 'POST'))).toContain('scope="orders:write"');
    expect(challengeOf(await get('/fresh'))).not.toContain('scope=');
  });

  it('name no metadata where there are none', async () => {
    await boot({ metadata: false });
    expect(challengeOf(await get('/orders'))).not.toContain('resource_metadata');
    expect((await get(WELL_KNOWN)).status).toBe(404);
  });
});

describe('step-up (RFC 9470)', () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const INSUFFICIENT =
    'Bearer realm="signet", error="insufficient_user_authentication", error_description="The user has to log in once more."';

  it.each<[string, string, () => object, string]>([
    ['section 4: acr is one of those', '/step-up', () => ({ acr: 'urn:mfa', auth_time: now() }), '200'],
    ['section 3: acr is another one', '/step-up', () => ({ acr: 'pwd', auth_time: now() }), '401 insufficient_user_authentication'],
    ['section 3: acr is not there', '/step-up', () => ({ auth_time: now() }), '401 insufficient_user_authentication'],
    ['section 4: auth_time is young enough', '/fresh', () => ({ auth_time: now() - 295 }), '200'],
    ['section 3: auth_time is too long ago', '/fresh', () => ({ auth_time: now() - 310 }), '401 insufficient_user_authentication'],
    ['section 3: auth_time is not there', '/fresh', () => ({}), '401 insufficient_user_authentication'],
    ['an expired token is that first', '/fresh', () => ({ nbf: now() + 60 }), '401 token_not_yet_valid'],
  ])('%s', async (_, path, claims, expected) => {
    await boot();
    const { status, json } = await withToken(path, claims());
    expect(status === 200 ? '200' : `${status} ${String(json.code)}`).toBe(expected);
  }); // prettier-ignore

  it('section 3: the challenge says what would do, and only that one does', async () => {
    await boot();
    const refused = await withToken('/step-up', { acr: 'pwd' });
    expect(refused.json.error).toBe('insufficient_user_authentication');
    expect(challengeOf(refused)).toBe(
      `${INSUFFICIENT}, acr_values="urn:mfa", max_age="300", resource_metadata="${url}${WELL_KNOWN}/step-up"`,
    );
    expect(challengeOf(await get('/step-up'))).not.toMatch(/acr_values|max_age/);
    expect(challengeOf(await withToken('/fresh'))).toContain(', max_age="300", resource_metadata=');
    expect(challengeOf(await withToken('/fresh'))).not.toContain('acr_values');
  });

  it('section 3: goes with scope, and with DPoP', async () => {
    await boot();
    const client = await createDpopClient();
    const token = await tokenOf(jwk, { cnf: client.cnf });
    const headers = await client.headers(token, `${url}/bank/transfer`, 'POST');
    const refused = await get('/bank/transfer', headers, 'POST');
    expect(refused.status).toBe(401);
    expect(challengeOf(refused)).toMatch(
      /^DPoP error="insufficient_user_authentication", .*, acr_values="urn:mfa phr", max_age="300", algs="[^"]+", scope="transfer", resource_metadata="[^"]+"$/,
    );
  });
});

describe('oauth4webapi, as it comes from npm', () => {
  const insecure = { [oauth.allowInsecureRequests]: true } as const;

  it.each(['/orders', '/orders/7', ''])('finds out about %j (RFC 9728 section 3)', async (path) => {
    await boot();
    const resource = new URL(`${url}${path}`);
    const response = await oauth.resourceDiscoveryRequest(resource, insecure);
    const found = await oauth.processResourceDiscoveryResponse(resource, response);
    expect(found.authorization_servers?.[0]).toBe(ISSUER);
  });

  it('reads the challenges of a refusal, and finds the metadata by them', async () => {
    await boot();
    const request = oauth.protectedResourceRequest(
      await tokenOf(jwk), 'GET', new URL(`${url}/step-up`), undefined, undefined, insecure,
    ); // prettier-ignore
    const error = await request.catch((thrown: unknown) => thrown);
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    const [challenge] = error.cause;
    expect(challenge).toMatchObject({
      scheme: 'bearer',
      parameters: {
        error: 'insufficient_user_authentication',
        acr_values: 'urn:mfa',
        max_age: '300',
      },
    });
    const place = challenge?.parameters.resource_metadata ?? '';
    expect((await call(place)).json.resource).toBe(`${url}/step-up`);
  });
});

describe('the gateway', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ PUBLIC_URL: 'https://gw.example', ADMIN_ROLES: 'admin' });
  });
  afterAll(() => gateway?.stop());

  it.each(['/private/custom', '/admin/revocations', '/token/introspect', '/logout'])(
    'RFC 9728: describes %s, and its challenge leads there',
    async (path) => {
      const method = path.startsWith('/private') ? 'GET' : 'POST';
      const refused = await call(`${gateway.url}${path}`, { method });
      expect([refused.status, refused.json.code]).toEqual([401, 'token_missing']);
      expect(challengeOf(refused)).toContain(
        `resource_metadata="https://gw.example${WELL_KNOWN}${path}"`,
      );
      const { json } = await call(`${gateway.url}${WELL_KNOWN}${path}`);
      expect(json).toMatchObject({
        resource: `https://gw.example${path}`,
        authorization_servers: [ISSUER],
        bearer_methods_supported: ['header'],
        resource_name: 'Signet',
      });
    },
  );

  it('RFC 9728: describes itself as a whole, and nothing that is open', async () => {
    expect((await call(`${gateway.url}${WELL_KNOWN}`)).json.resource).toBe('https://gw.example');
    for (const path of ['/token', '/health/live', '/docs', '/.well-known/jwks.json'])
      expect([path, (await call(`${gateway.url}${WELL_KNOWN}${path}`)).status]).toEqual([
        path,
        path === '/token' ? 200 : 404,
      ]);
  });
});
