import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  AuthModule,
  BackendModule,
  Claims,
  ErrorFilter,
  IntrospectionModule,
  JwksModule,
  OAuthModule,
  ProtectedResourceModule,
  RequireJwt,
  SessionModule,
  SigningModule,
  StateModule,
  ThrottleModule,
  TokenModule,
  WellKnownModule,
  type LoginRequest,
  type RefreshedSession,
  type TokenAnswer,
} from '../src/index.js';
import { ClientsModule } from '../src/clients/index.js';
import { createTestIssuer } from '../src/testing/index.js';
import { startBackend } from './helpers/backends/backend.js';
import { byBasic, withSecret } from './helpers/sessions/clients.js';
import { createDpopClient } from './helpers/sessions/dpop.js';
import { call, callWith, type Answer } from './helpers/network/http.js';
import { verdictOf } from './helpers/sessions/sessions.js';

const issuer = createTestIssuer();

@Controller('me')
class ProfileController {
  @Get()
  @RequireJwt()
  me(@Claims('sub') sub: string) {
    return { sub };
  }
}

/** Who may go on; others are gone since they logged in. */
let known = new Set<string>();
const tokensOf = (sub: string): TokenAnswer => ({
  access_token: { sub, roles: ['auditor'] },
  refresh_token: { sub },
});
const logIn = ({ parameters }: LoginRequest) => {
  const name = parameters('username');
  if (name === undefined || parameters('password') !== 'secret') return undefined;
  known.add(name);
  return tokensOf(name);
};
const goOn = async ({ sub = '' }: RefreshedSession) => (known.has(sub) ? tokensOf(sub) : undefined);

@Module({
  imports: [
    JwksModule.forRoot(issuer.jwksOptions),
    StateModule.forRoot({ url: 'memory:', longestTokenTtl: 1_209_600 }),
    SigningModule.forRoot({ alg: issuer.alg, issuer: issuer.issuer, audience: issuer.audience }),
    AuthModule.forRoot({ ...issuer.authOptions, logRefusals: false }),
    SessionModule.forRoot({ cookies: true }),
    OAuthModule.forRoot({ refresh: { handler: goOn } }),
    TokenModule.forRoot({ handler: logIn }),
    IntrospectionModule.forRoot({ roles: ['auditor'] }),
    WellKnownModule.forRoot({ grants: ['password', 'refresh_token'] }),
    ThrottleModule.forRoot({ limit: 50 }),
  ],
  controllers: [ProfileController],
})
class AppModule {}

/** The same for registered clients, and with the documents that tell them where tokens are. */
@Module({
  imports: [
    AppModule,
    ClientsModule.forRoot({
      issuer: issuer.issuer,
      clients: [
        withSecret('s3cret', {
          client_id: 'billing',
          grant_types: ['client_credentials'],
          scope: 'read write',
          claims: { roles: ['auditor'] },
          audience: issuer.audience,
        }),
      ],
    }),
    ProtectedResourceModule.forRoot({ resourceName: 'Shop' }),
  ],
})
class ClientsAppModule {}

let app: INestApplication | undefined;
afterEach(() => app?.close());

describe.each(['Express', 'Fastify'])('an application of the modules on %s', (adapter) => {
  async function start(root = AppModule, rawBody = false): Promise<string> {
    known = new Set();
    const options = { logger: false, abortOnError: false, rawBody } as const;
    app =
      adapter === 'Express'
        ? await NestFactory.create(root, options)
        : await NestFactory.create(root, new FastifyAdapter(), options);
    app.useGlobalFilters(new ErrorFilter({ explain: true }));
    await app.listen(0, '127.0.0.1');
    return (await app.getUrl()).replace('[::1]', '127.0.0.1');
  }
  const post = (url: string, parameters: Record<string, string>, headers = {}): Promise<Answer> =>
    call(url, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', ...headers },
      body: new URLSearchParams(parameters),
    });
  const ada = { grant_type: 'password', username: 'ada', password: 'secret' };

  it('logs in, goes on, and ends', async () => {
    const url = await start();
    const login = await post(`${url}/token`, ada);
    expect(verdictOf(login)).toBe('200');
    expect(login.headers.get('cache-control')).toBe('no-store');
    expect(login.headers.getSetCookie().map((cookie) => cookie.split('=', 1)[0])).toEqual([
      '__Host-access_token',
      '__Host-refresh_token',
    ]);
    const access = String(login.json.access_token);
    expect((await callWith(`${url}/me`, access)).text).toBe('{"sub":"ada"}');

    const refreshed = await post(`${url}/token`, {
      grant_type: 'refresh_token',
      refresh_token: String(login.json.refresh_token),
    });
    expect(verdictOf(refreshed)).toBe('200');
    const authorization = `Bearer ${String(refreshed.json.access_token)}`;
    const asked = { token: String(refreshed.json.access_token) };
    const told = await post(`${url}/token/introspect`, asked, { authorization });
    expect(told.json).toMatchObject({ active: true, sub: 'ada', token_use: 'access' });

    const logout = await post(`${url}/logout`, {}, { authorization });
    expect(logout.status).toBe(204);
    expect(verdictOf(await callWith(`${url}/me`, access))).toBe('401 token_revoked');
  });

  it('gives registered clients tokens that are bound to their key, and tells where', async () => {
    const url = await start(ClientsAppModule);
    const { headers: basic } = byBasic('billing', 's3cret');
    const form = { grant_type: 'client_credentials', scope: 'read' };
    expect(verdictOf(await post(`${url}/token`, form))).toBe('401 client_unknown');

    const dpop = await createDpopClient();
    const proof = await dpop.prove('', `${url}/token`, 'POST', { ath: undefined });
    const answer = await post(`${url}/token`, form, { ...basic, dpop: proof });
    expect(answer.json).toMatchObject({ token_type: 'DPoP', scope: 'read' });
    const token = String(answer.json.access_token);
    const again = await post(`${url}/token`, form, { ...basic, dpop: proof });
    expect(verdictOf(again)).toBe('400 dpop_proof_reused');

    const me = `${url}/me`;
    const used = await call(me, { headers: await dpop.headers(token, me) });
    expect([used.status, used.text]).toEqual([200, '{"sub":"billing"}']);
    const stolen = await callWith(me, token);
    expect(verdictOf(stolen)).toBe('401 dpop_scheme_needed');
    const place = /resource_metadata="([^"]+)"/.exec(stolen.headers.get('www-authenticate') ?? '');
    expect(place?.[1]).toBe(`${url}/.well-known/oauth-protected-resource/me`);
    for (const [path, resource] of [
      ['/me', `${url}/me`],
      ['', url],
    ] as const) {
      const told = await call(`${url}/.well-known/oauth-protected-resource${path}`);
      expect(told.json).toMatchObject({ resource, authorization_servers: [issuer.issuer] });
    }
    const nothing = await call(`${url}/.well-known/oauth-protected-resource/none/at/all`);
    expect(verdictOf(nothing)).toBe('404 not_found');
  });

  it('refuses what the application refuses', async () => {
    const url = await start();
    const wrong = await post(`${url}/token`, { ...ada, password: 'guessed' });
    expect([verdictOf(wrong), wrong.json.error]).toEqual(['400 login_refused', 'invalid_grant']);
    const other = await post(`${url}/token`, { ...ada, grant_type: 'authorization_code' });
    expect(verdictOf(other)).toBe('400 grant_unsupported');
    const login = await post(`${url}/token`, ada);
    known.delete('ada');
    const gone = await post(`${url}/token`, {
      grant_type: 'refresh_token',
      refresh_token: String(login.json.refresh_token),
    });
    expect(verdictOf(gone)).toBe('400 refresh_token_invalid');
    const revoked = await post(`${url}/token/revoke`, { token: String(login.json.access_token) });
    expect(revoked.status).toBe(200);
    expect(verdictOf(await callWith(`${url}/me`, String(login.json.access_token)))).toBe(
      '401 token_revoked',
    );
  });

  it('publishes its keys, and where everything is', async () => {
    const url = await start();
    const jwks = await call(`${url}/.well-known/jwks.json`);
    expect(jwks.json).toEqual({
      keys: [expect.objectContaining({ kid: issuer.kid }) as object],
    });
    const again = await call(`${url}/.well-known/jwks.json`, {
      headers: { 'if-none-match': String(jwks.headers.get('etag')) },
    });
    expect(again.status).toBe(304);
    const { json } = await call(`${url}/.well-known/oauth-authorization-server`);
    expect(json).toMatchObject({
      issuer: issuer.issuer,
      token_endpoint: expect.stringMatching(/\/token$/) as string,
      introspection_endpoint: expect.stringMatching(/\/token\/introspect$/) as string,
    });
  });

  it('gives a backend that decides the listed cookies, at login and at refresh, and no token', async () => {
    const backend = await startBackend();
    onTestFinished(() => backend.stop());
    for (const path of ['/login', '/go-on']) await backend.answer(path, { body: tokensOf('ada') });
    const { jwksOptions, alg, authOptions } = issuer;
    @Module({
      imports: [
        JwksModule.forRoot(jwksOptions),
        StateModule.forRoot({ url: 'memory:', longestTokenTtl: 1_209_600 }),
        SigningModule.forRoot({ alg, issuer: issuer.issuer, audience: issuer.audience }),
        AuthModule.forRoot(authOptions),
        BackendModule.forRoot({
          host: backend.url,
          inputCookies: ['theme', '__Host-access_token', '__Host-refresh_token'],
        }),
        SessionModule.forRoot({ cookies: true }),
        OAuthModule.forRoot({ refresh: { path: '/go-on' } }),
        TokenModule.forRoot({ path: '/login' }),
      ],
    })
    class BackendAppModule {}
    const url = await start(BackendAppModule, true);
    const others = 'a=1; theme=dark; b=2';
    const login = await post(`${url}/token`, ada, {
      cookie: `${others}; __Host-access_token=x.y.z`,
    });
    expect(login.status).toBe(200);
    const grant = { grant_type: 'refresh_token' };
    const token = `__Host-refresh_token=${String(login.json.refresh_token)}`;
    const refreshed = await post(`${url}/token`, grant, { cookie: `${token}; ${others}` });
    expect(refreshed.status).toBe(200);
    for (const path of ['/login', '/go-on'])
      expect((await backend.lastCall(path)).headers.cookie).toBe('theme=dark');
  });

  it('counts requests to the token endpoints', async () => {
    const url = await start();
    let answer = await post(`${url}/token`, { ...ada, password: 'guessed' });
    for (let i = 0; i < 50; i++) answer = await post(`${url}/token`, ada);
    expect(verdictOf(answer)).toBe('429 rate_limited');
  });
});
