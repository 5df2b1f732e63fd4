import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt } from '../src/auth/index.js';
import { basicHeader } from '../src/clients/index.js';
import { ErrorFilter } from '../src/http/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import {
  byBasic,
  byName,
  byPost,
  withSecret,
  writeClients,
  type Credentials,
} from './helpers/sessions/clients.js';
import { createDpopClient, type DpopClient } from './helpers/sessions/dpop.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, type Answer } from './helpers/network/http.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, hs256, part, writeKeys } from './helpers/issuers/keys.js';
import { pairOf, postForm, type Pair } from './helpers/sessions/sessions.js';

/*
 * The MUSTs and SHOULDs of the RFCs that docs/standards.md names, as far as they are about this side, each over HTTP and with
 * its section. What a row cannot ask for alone stands in the specs of the subject.
 */

const AUDIENCE = 'https://api.example.com';
const OTHER = 'https://other.example.com';
const SECRET = 'a secret of the test: with + and %';
const GRANTS = ['password', 'refresh_token', 'client_credentials', 'urn:example:exchange'];

const CLAIMS = { sub: 'u1', scope: 'read write', acr: 'urn:mfa', auth_time: 1_700_000_000 };
const LOGIN = {
  access_token: { ...CLAIMS, roles: ['role_a'] },
  refresh_token: { sub: 'u1', scope: 'read write' },
  scope: 'read write',
};

let backend: Backend;
let gateway: Gateway;
let jwk: Awaited<ReturnType<typeof generateJwk>>;
let issuer: string;
let dpop: DpopClient;
let app: INestApplication;
let appUrl: string;

@Controller()
class StepUpController {
  @Get('bank') @RequireJwt({ acr: ['urn:mfa'], maxAge: 300 }) bank(): object {
    return {};
  }
}

beforeAll(async () => {
  backend = await startBackend();
  jwk = await generateJwk('ES256', 'e1');
  await backend.answer('/token.json', { body: LOGIN });
  await backend.answer('/refresh.json', { body: LOGIN });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  const registration = {
    grant_types: GRANTS,
    scope: 'read write',
    audience: [AUDIENCE, OTHER],
    claims: { roles: ['role_a'] },
  };
  issuer = 'https://issuer.example.com/tenant';
  gateway = await hostGateway({
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'ES256',
    SIGNER_KID: 'e1',
    SIGNER_TYP: 'at+jwt',
    SIGNER_ISSUER: issuer,
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    VALIDATOR_AUDIENCE: AUDIENCE,
    REFRESH_BACKEND_PATH: '/refresh.json',
    REFRESH_RETRY_WINDOW: '0',
    CLIENTS_FILE: writeClients([
      withSecret(SECRET, { client_id: 'web', ...registration }),
      withSecret(SECRET, { client_id: 'w:e+b%', ...registration }),
      withSecret(SECRET, {
        client_id: 'post',
        token_endpoint_auth_method: 'client_secret_post',
        ...registration,
      }),
      withSecret(SECRET, { client_id: 'narrow', grant_types: ['password'] }),
      {
        client_id: 'spa',
        token_endpoint_auth_method: 'none',
        grant_types: ['password', 'refresh_token'],
      },
    ]),
  });
  dpop = await createDpopClient();
  @Module({
    imports: [
      JwksModule.forRoot({ signing: { path: writeKeys([jwk]) } }),
      AuthModule.forRoot({ algorithms: ['ES256'], issuer, audience: AUDIENCE }),
    ],
    controllers: [StepUpController],
  })
  class StepUpModule {}
  app = await NestFactory.create(StepUpModule, { logger: false });
  app.useGlobalFilters(new ErrorFilter());
  await app.listen(0, '127.0.0.1');
  appUrl = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(async () => {
  await app?.close();
  await gateway?.stop();
  await backend?.stop();
});

const WEB = byBasic('web', SECRET);
const SPA = byName('spa');

const post = (
  path: string,
  form: Record<string, string>,
  by: Credentials = WEB,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  postForm(gateway.url + path, { ...form, ...by.form }, { ...by.headers, ...headers });
const token = (
  form: Record<string, string>,
  by?: Credentials,
  headers?: Record<string, string>,
): Promise<Answer> => post('/token', form, by, headers);
const PASSWORD = { grant_type: 'password', username: 'alice', password: 'wonderland' };
const login = async (by?: Credentials): Promise<Pair> => pairOf(await token(PASSWORD, by));
const renew = (
  refresh: string,
  form: Record<string, string> = {},
  by?: Credentials,
): Promise<Answer> => token({ grant_type: 'refresh_token', refresh_token: refresh, ...form }, by);
const raw = (body: string, by: Credentials = WEB): Promise<Answer> =>
  call(`${gateway.url}/token`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...by.headers },
  });
const api = (access: string): Promise<Answer> => callWith(`${gateway.url}/private/custom`, access);
const introspect = (text: string, by?: Credentials): Promise<Answer> =>
  post('/token/introspect', { token: text }, by);
const metadata = async (): Promise<Record<string, unknown>> =>
  (await call(`${gateway.url}/.well-known/oauth-authorization-server/tenant`)).json;
const challenge = ({ headers }: Answer): string => headers.get('www-authenticate') ?? '';

/** Status and OAuth error. */
const refusal = ({ status, json }: Answer): string => `${status} ${String(json.error)}`;

/** Claims of an access token of the profile. */
const good = (): Record<string, unknown> => ({
  iss: issuer,
  aud: AUDIENCE,
  sub: 'u',
  client_id: 'web',
  jti: 'j',
  roles: ['role_a'],
});

describe('RFC 6749', () => {
  it('2.3.1: a client with a password can use HTTP Basic', async () => {
    expect((await token(PASSWORD)).status).toBe(200);
  });

  it('2.3.1: both halves of Basic are form-encoded before', async () => {
    const by = byBasic('w:e+b%', SECRET);
    expect(part((await login(by)).access, 1).client_id).toBe('w:e+b%');
  });

  it('2.3.1: a client that is registered so sends its secret in the body', async () => {
    expect((await token(PASSWORD, byPost('post', SECRET))).status).toBe(200);
  });

  it('2.3.1: credentials in the URI do not count', async () => {
    const query = new URLSearchParams({ client_id: 'post', client_secret: SECRET }).toString();
    expect(refusal(await post(`/token?${query}`, PASSWORD, {}))).toBe('401 invalid_client');
  });

  it('2.3: a client uses one method in each request', async () => {
    const both = { ...WEB, ...byPost('web', SECRET) };
    expect(refusal(await token(PASSWORD, both))).toBe('400 invalid_request');
  });

  it('2.3.1: guessing a secret is limited', async () => {
    const by = { headers: { authorization: basicHeader('narrow', 'wrong') } };
    const tries: string[] = [];
    for (let i = 0; i < 12; i++) tries.push(refusal(await token(PASSWORD, by)));
    expect([tries[0], tries.at(-1)]).toEqual(['401 invalid_client', '429 invalid_request']);
  });

  it('3.2: the token endpoint takes POST only', async () => {
    const answer = await call(`${gateway.url}/token`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('3.2: a parameter without a value is none', async () => {
    expect((await token({ ...PASSWORD, scope: '' })).status).toBe(200);
    expect(refusal(await token({ ...PASSWORD, grant_type: '' }))).toBe('400 invalid_request');
  });

  it('3.2: a parameter that is not known is ignored', async () => {
    expect((await token({ ...PASSWORD, unheard_of: '1' })).status).toBe(200);
  });

  it('3.2: no parameter is there twice', async () => {
    const body = new URLSearchParams(PASSWORD).toString();
    expect(refusal(await raw(`${body}&username=bob`))).toBe('400 invalid_request');
  });

  it('3.2.1: a confidential client has to authenticate', async () => {
    expect(refusal(await token(PASSWORD, byName('web')))).toBe('401 invalid_client');
  });

  it('3.3: scope is in the answer where it is not what was asked for', async () => {
    expect((await token({ ...PASSWORD, scope: 'read' })).json.scope).toBe('read write');
  });

  it('3.3: without scope there is a default', async () => {
    const { status, json } = await token({ grant_type: 'client_credentials' });
    expect([status, json.scope]).toEqual([200, 'read write']);
  });

  it('3.3: the order of scopes does not matter, their spelling does', async () => {
    const grant = { grant_type: 'client_credentials' };
    const { status, json } = await token({ ...grant, scope: 'write read' });
    expect([status, String(json.scope).split(' ').toSorted()]).toEqual([200, ['read', 'write']]);
    expect(refusal(await token({ ...grant, scope: 'Read' }))).toBe('400 invalid_scope');
  });

  it('4.3.2: a client that shows credentials is authenticated, and the user as well', async () => {
    expect(refusal(await token(PASSWORD, byBasic('web', 'wrong')))).toBe('401 invalid_client');
    const body = { error: 'invalid_grant', error_description: 'wrong password' };
    await backend.answer('/token.json', { status: 400, body });
    const answer = await token(PASSWORD);
    await backend.answer('/token.json', { body: LOGIN });
    expect([answer.status, answer.json]).toEqual([400, body]);
  });

  it('4.4: a client without credentials gets no token for itself', async () => {
    const answer = await token({ grant_type: 'client_credentials' }, SPA);
    expect(refusal(answer)).toBe('400 unauthorized_client');
    expect(refusal(await token({ grant_type: 'client_credentials' }, byName('web')))).toBe(
      '401 invalid_client',
    );
  });

  it('4.4.3: a client that asks for itself gets no refresh token', async () => {
    const { status, json } = await token({ grant_type: 'client_credentials' });
    expect([status, Object.keys(json)]).toEqual([
      200,
      ['access_token', 'scope', 'token_type', 'expires_in'],
    ]);
  });

  it('5.1: an answer is JSON that nobody stores, with token_type and expires_in', async () => {
    const { status, headers, json } = await token(PASSWORD);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    expect([json.token_type, json.expires_in]).toEqual(['Bearer', 3600]);
  });

  it('5.2: invalid_request: a parameter is missing', async () => {
    expect(refusal(await token({ username: 'alice' }))).toBe('400 invalid_request');
    expect(refusal(await token({ grant_type: 'refresh_token' }))).toBe('400 invalid_request');
  });

  it('5.2: invalid_client: 401 with the scheme that was used', async () => {
    const answer = await token(PASSWORD, byBasic('web', 'wrong'));
    expect(refusal(answer)).toBe('401 invalid_client');
    expect(challenge(answer)).toMatch(/^Basic realm=/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('5.2: invalid_grant: the refresh token is none', async () => {
    expect(refusal(await renew('none'))).toBe('400 invalid_grant');
  });

  it('5.2: unauthorized_client: the grant type is not for this client', async () => {
    const answer = await token({ grant_type: 'client_credentials' }, SPA);
    expect(refusal(answer)).toBe('400 unauthorized_client');
  });

  it('5.2: unsupported_grant_type: of a grant that only the login would know', async () => {
    const body = { error: 'unsupported_grant_type' };
    await backend.answer('/token.json', { status: 400, body });
    const answer = await token({ grant_type: 'urn:example:exchange' });
    await backend.answer('/token.json', { body: LOGIN });
    expect([answer.status, answer.json]).toEqual([400, body]);
  });

  it('5.2: invalid_scope: more than the client may ask for', async () => {
    expect(refusal(await token({ ...PASSWORD, scope: 'admin' }))).toBe('400 invalid_scope');
  });

  it('5.2: a description holds ASCII without quotes and backslashes', async () => {
    const { json } = await renew('"\\ä');
    expect(json.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  it('6: a confidential client authenticates to refresh', async () => {
    const { refresh } = await login();
    expect(refusal(await renew(refresh, {}, byName('web')))).toBe('401 invalid_client');
    expect((await renew(refresh)).status).toBe(200);
  });

  it('6: a refresh token is bound to its client, and the try of another one ends nothing', async () => {
    const { refresh } = await login();
    expect(refusal(await renew(refresh, {}, SPA))).toBe('400 invalid_grant');
    expect((await renew(refresh)).status).toBe(200);
  });

  it('6: scope is no more than was granted', async () => {
    const { refresh } = await login();
    expect(refusal(await renew(refresh, { scope: 'read write admin' }))).toBe('400 invalid_scope');
  });

  it('6: scope left out is all that was granted', async () => {
    const { access } = pairOf(await renew((await login()).refresh));
    expect(part(access, 1).scope).toBe('read write');
  });

  it('6: the new refresh token has the scope of the old one', async () => {
    const next = pairOf(await renew((await login()).refresh, { scope: 'read' }));
    expect(part(next.refresh, 1).scope).toBe('read write');
  });

  it('6: the same token goes on when the refresh was refused', async () => {
    const { refresh } = await login();
    expect(refusal(await renew(refresh, { scope: 'admin' }))).toBe('400 invalid_scope');
    expect((await renew(refresh)).status).toBe(200);
  });

  it('10.3, 10.4: a token that is changed or made up is none', async () => {
    const { access, refresh } = await login();
    for (const [name, text] of Object.entries({ access, refresh })) {
      const [header = '', payload = '', signature = ''] = text.split('.');
      const claims = { ...part(text, 1), sub: 'root', scope: 'admin' };
      const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
      for (const wrong of [`${header}.${changed}.${signature}`, `${header}.${payload}.`]) {
        const answer = name === 'access' ? await api(wrong) : await renew(wrong);
        expect(refusal(answer)).toMatch(/^(?:401 invalid_token|400 invalid_grant)$/);
      }
    }
  });

  it('10.4: a refresh token that is used twice ends the session', async () => {
    const { refresh } = await login();
    const next = pairOf(await renew(refresh));
    expect(refusal(await renew(refresh))).toBe('400 invalid_grant');
    expect(refusal(await renew(next.refresh))).toBe('400 invalid_grant');
    expect(refusal(await api(next.access))).toBe('401 invalid_token');
  });
});

describe('RFC 6750', () => {
  it('2.1: a token comes in the header Authorization', async () => {
    expect((await api((await login()).access)).status).toBe(200);
  });

  it('2.2: a token in a form does not count', async () => {
    const { access } = await login();
    expect((await post('/logout', { access_token: access }, {})).status).toBe(401);
  });

  it('2.3: a token in the URI does not count', async () => {
    const { access } = await login();
    const answer = await call(`${gateway.url}/private/custom?access_token=${access}`);
    expect(answer.status).toBe(401);
  });

  it('2: one method per request', async () => {
    const { access } = await login();
    const url = `${gateway.url}/private/custom?access_token=${access}`;
    expect(refusal(await callWith(url, access))).toBe('400 invalid_request');
  });

  it('3: a request without a token gets a challenge and no error', async () => {
    const answer = await call(`${gateway.url}/private/custom`);
    expect([answer.status, answer.json.error]).toEqual([401, undefined]);
    expect(challenge(answer)).toMatch(/^Bearer realm="[^"]+"/);
    expect(challenge(answer)).not.toContain('error=');
  });

  it('3: no attribute of a challenge is there twice', async () => {
    const [bearer = ''] = challenge(await api('x')).split(', DPoP ');
    const names = [...bearer.matchAll(/(\w+)="/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('3: a description holds ASCII without quotes and backslashes, whatever the token', async () => {
    for (const kid of ['"\\\u00e4', 'k", realm="evil', 'k\r\nX: y']) {
      const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }));
      const answer = await api(`${header.toString('base64url')}.e30.AAAA`);
      expect(answer.status).toBe(401);
      const [, description] = /error_description="([^"]*)"[,]/.exec(challenge(answer)) ?? [];
      expect(description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(challenge(answer).match(/realm="/g)).toHaveLength(1);
    }
  });

  it('3.1: invalid_token: 401', async () => {
    const answer = await api('x.y.z');
    expect(refusal(answer)).toBe('401 invalid_token');
    expect(challenge(answer)).toContain('error="invalid_token"');
  });

  it('3.1: insufficient_scope: 403', async () => {
    const access = await tokenOf(jwk, { ...good(), roles: [] }, { typ: 'at+jwt' });
    const answer = await api(access);
    expect(refusal(answer)).toBe('403 insufficient_scope');
    expect(challenge(answer)).toContain('error="insufficient_scope"');
  });

  it('5.2, 5.3: tokens are for an audience, and live for an hour at most', async () => {
    const claims = part((await login()).access, 1);
    expect(claims.aud).toBeDefined();
    expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(3600);
  });

  it('5.3: what a token opens is stored nowhere', async () => {
    const { headers } = await api((await login()).access);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('RFC 7009', () => {
  it('2.1: token is needed', async () => {
    expect(refusal(await post('/token/revoke', {}))).toBe('400 invalid_request');
  });

  it('2.1: an access token ends', async () => {
    const { access } = await login();
    expect((await post('/token/revoke', { token: access })).status).toBe(200);
    expect(refusal(await api(access))).toBe('401 invalid_token');
  });

  it('2.1: a refresh token ends, with the access tokens of its grant', async () => {
    const { access, refresh } = await login();
    expect((await post('/token/revoke', { token: refresh })).status).toBe(200);
    expect(refusal(await renew(refresh))).toBe('400 invalid_grant');
    expect(refusal(await api(access))).toBe('401 invalid_token');
  });

  it('2.1: a wrong token_type_hint changes nothing', async () => {
    const { access } = await login();
    await post('/token/revoke', { token: access, token_type_hint: 'refresh_token' });
    expect(refusal(await api(access))).toBe('401 invalid_token');
  });

  it('2.1: nor does a hint that nobody knows, and a refresh token with the wrong one ends', async () => {
    const { access, refresh } = await login();
    for (const token_type_hint of ['saml2', 'access_token'])
      expect((await post('/token/revoke', { token: refresh, token_type_hint })).status).toBe(200);
    expect(refusal(await renew(refresh))).toBe('400 invalid_grant');
    expect(refusal(await api(access))).toBe('401 invalid_token');
  });

  it('2.1: a confidential client authenticates, or nothing ends', async () => {
    const { access } = await login();
    const answer = await post('/token/revoke', { token: access }, byBasic('web', 'wrong'));
    expect(refusal(answer)).toBe('401 invalid_client');
    expect((await api(access)).status).toBe(200);
  });

  it('2.1: a token of another client is refused', async () => {
    const { access } = await login();
    expect((await post('/token/revoke', { token: access }, SPA)).status).toBe(400);
    expect((await api(access)).status).toBe(200);
  });

  it('2: POST only, with the parameters in the body', async () => {
    const { access } = await login();
    expect((await call(`${gateway.url}/token/revoke?token=${access}`)).status).toBe(405);
    expect(refusal(await post(`/token/revoke?token=${access}`, {}))).toBe('400 invalid_request');
    expect((await api(access)).status).toBe(200);
  });

  it('2.2: a token that is none is 200', async () => {
    expect((await post('/token/revoke', { token: 'none' })).status).toBe(200);
    const { access } = await login();
    for (let i = 0; i < 2; i++)
      expect((await post('/token/revoke', { token: access })).status).toBe(200);
  });
});

describe('RFC 7662', () => {
  it('2.1: who asks has to be authorized', async () => {
    expect((await introspect((await login()).access, {})).status).toBe(401);
    expect((await introspect((await login()).access, SPA)).status).toBe(401);
  });

  it('2.1: POST only', async () => {
    expect((await call(`${gateway.url}/token/introspect?token=x`)).status).toBe(405);
  });

  it('2.2: active, and what is known', async () => {
    const { access } = await login();
    expect((await introspect(access)).json).toMatchObject({
      active: true,
      scope: 'read write',
      client_id: 'web',
      token_type: 'Bearer',
      sub: 'u1',
      aud: [AUDIENCE, OTHER],
      iss: issuer,
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
    });
  });

  it('2.2: of what is not active nothing is told', async () => {
    const { access, refresh } = await login();
    await post('/token/revoke', { token: refresh });
    for (const text of [access, refresh, 'none'])
      expect((await introspect(text)).json).toEqual({ active: false });
  });

  it('2.1: token is needed', async () => {
    expect(refusal(await post('/token/introspect', {}))).toBe('400 invalid_request');
  });

  it('2.1: a wrong hint hides nothing', async () => {
    const { access, refresh } = await login();
    for (const [text, token_type_hint] of [
      [access, 'refresh_token'],
      [refresh, 'access_token'],
      [access, 'saml2'],
    ] as const) {
      const { json } = await post('/token/introspect', { token: text, token_type_hint });
      expect(json.active).toBe(true);
    }
  });

  it('4: what is expired, not yet valid, forged, or of another issuer is not active', async () => {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: 'ES256', kid: 'e1', typ: 'at+jwt' };
    const signed = async (claims: object, key = jwk): Promise<string> =>
      new SignJWT({ ...good(), iat: now, exp: now + 60, ...claims })
        .setProtectedHeader(header)
        .sign(await importJWK(key));
    expect((await introspect(await signed({}))).json.active).toBe(true);
    for (const wrong of [
      await signed({ iat: now - 100, exp: now - 50 }),
      await signed({ nbf: now + 50 }),
      await signed({ iss: 'https://evil.example' }),
      await signed({}, await generateJwk('ES256', 'e1')),
    ])
      expect((await introspect(wrong)).json).toEqual({ active: false });
  });

  it('2.3: wrong credentials are 401', async () => {
    expect((await introspect('x', byBasic('web', 'wrong'))).status).toBe(401);
  });

  it('4: an answer is stored nowhere', async () => {
    const { headers } = await introspect((await login()).access);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('RFC 8414', () => {
  it('2: the members that are needed, and those of what is there', async () => {
    expect(await metadata()).toMatchObject({
      issuer,
      token_endpoint: expect.stringMatching(/\/token$/),
      jwks_uri: expect.stringMatching(/\/\.well-known\/jwks\.json$/),
      grant_types_supported: expect.arrayContaining(['password', 'refresh_token']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['client_secret_basic']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      revocation_endpoint: expect.stringMatching(/\/token\/revoke$/),
      introspection_endpoint: expect.stringMatching(/\/token\/introspect$/),
    });
  });

  it('2: issuer and endpoints are URLs without query and fragment', async () => {
    const urls = Object.entries(await metadata()).filter(([name]) =>
      /^issuer$|_endpoint$|_uri$/.test(name),
    );
    expect(urls.length).toBeGreaterThan(4);
    for (const [, url] of urls) {
      const { search, hash } = new URL(String(url));
      expect([search, hash]).toEqual(['', '']);
    }
  });

  it('2: no algorithm is none', async () => {
    expect(JSON.stringify(await metadata())).not.toContain('"none"]');
    const { token_endpoint_auth_signing_alg_values_supported: algorithms } = await metadata();
    expect(algorithms).not.toContain('none');
  });

  it('3.1: the path of the issuer stands behind the well-known part', async () => {
    const path = '/.well-known/oauth-authorization-server';
    expect((await call(`${gateway.url}${path}/tenant`)).status).toBe(200);
    expect((await call(`${gateway.url}${path}/other`)).status).toBe(404);
  });

  it('3.2: 200 and JSON, without empty lists', async () => {
    const answer = await call(`${gateway.url}/.well-known/oauth-authorization-server/tenant`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(
      Object.values(answer.json).filter((value) => Array.isArray(value) && value.length === 0),
    ).toEqual([]);
  });

  it('3.3: issuer is the one that is asked for', async () => {
    expect((await metadata()).issuer).toBe(part((await login()).access, 1).iss);
  });
});

describe('RFC 8707', () => {
  it('2: resource is an absolute URI without a fragment', async () => {
    const { refresh } = await login();
    for (const resource of ['api', '/api', `${AUDIENCE}#part`])
      expect(refusal(await renew(refresh, { resource }))).toBe('400 invalid_target');
  });

  it('2: a resource that is not for this client is invalid_target', async () => {
    const form = { grant_type: 'client_credentials', resource: 'https://evil.example' };
    expect(refusal(await token(form))).toBe('400 invalid_target');
  });

  it('2: nor is one that is no absolute URI, whatever the grant', async () => {
    for (const form of [PASSWORD, { grant_type: 'client_credentials' }])
      for (const wrong of ['api', '/api', `${AUDIENCE}#part`, `${AUDIENCE}/`])
        expect(refusal(await token({ ...form, resource: wrong }))).toBe('400 invalid_target');
  });

  it('2.2: a refresh gets a token for what the client may ask for, and no other', async () => {
    const { refresh } = await login();
    const resource = 'https://evil.example';
    expect(refusal(await renew(refresh, { resource }))).toBe('400 invalid_target');
    const { access } = pairOf(await renew(refresh, { resource: OTHER }));
    expect(part(access, 1).aud).toBe(OTHER);
  });

  it('2: several resources may be asked for', async () => {
    const resources = new URLSearchParams([
      ['resource', AUDIENCE],
      ['resource', OTHER],
    ]).toString();
    const { json, status } = await raw(`grant_type=client_credentials&${resources}`);
    expect(status).toBe(200);
    expect(part(String(json.access_token), 1).aud).toEqual([AUDIENCE, OTHER]);
  });

  it('2: the token is for the resource that was asked for, and no other', async () => {
    const { json } = await token({ grant_type: 'client_credentials', resource: OTHER });
    expect(part(String(json.access_token), 1).aud).toBe(OTHER);
    expect(refusal(await api(String(json.access_token)))).toBe('401 invalid_token');
  });
});

describe('RFC 9068', () => {
  it('2.1: typ is at+jwt, signed by an asymmetric algorithm', async () => {
    const { access } = await login();
    expect(part(access, 0)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
  });

  it('2.2: the claims of the profile', async () => {
    expect(Object.keys(part((await login()).access, 1))).toEqual(
      expect.arrayContaining(['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']),
    );
  });

  it('2.2.3: scope is there where one was asked for', async () => {
    const { json } = await token({ grant_type: 'client_credentials', scope: 'read' });
    expect(part(String(json.access_token), 1).scope).toBe('read');
  });

  it('3: aud is the resource, or a default', async () => {
    const { json } = await token({ grant_type: 'client_credentials' });
    expect(part(String(json.access_token), 1).aud).toEqual([AUDIENCE, OTHER]);
  });

  it('2.2: sub is the client where no user is involved', async () => {
    const { json } = await token({ grant_type: 'client_credentials' });
    expect(part(String(json.access_token), 1)).toMatchObject({ sub: 'web', client_id: 'web' });
  });

  it('4: typ is checked, whatever else is right', async () => {
    const access = (typ: string): Promise<string> => tokenOf(jwk, good(), { typ });
    expect((await api(await access('at+jwt'))).status).toBe(200);
    expect((await api(await access('application/at+jwt'))).status).toBe(200);
    expect(refusal(await api(await access('rt+jwt')))).toBe('401 invalid_token');
    expect(refusal(await api(await access('dpop+jwt')))).toBe('401 invalid_token');
  });

  it('4: iss, aud, exp, signature and algorithm are checked', async () => {
    for (const claims of [
      { ...good(), iss: 'https://evil.example' },
      { ...good(), aud: OTHER },
      { ...good(), client_id: undefined },
      { ...good(), jti: undefined },
    ])
      expect(refusal(await api(await tokenOf(jwk, claims, { typ: 'at+jwt' })))).toBe(
        '401 invalid_token',
      );
    const past = Math.floor(Date.now() / 1000) - 100;
    const expired = await new SignJWT({ ...good(), iat: past, exp: past + 50 })
      .setProtectedHeader({ alg: 'ES256', kid: 'e1', typ: 'at+jwt' })
      .sign(await importJWK(jwk));
    expect(refusal(await api(expired))).toBe('401 invalid_token');
    const strange = await tokenOf(await generateJwk('ES256', 'e1'), good(), { typ: 'at+jwt' });
    expect(refusal(await api(strange))).toBe('401 invalid_token');
    const [, payload] = (await tokenOf(jwk, good(), { typ: 'at+jwt' })).split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    expect(refusal(await api(`${none}.${payload}.`))).toBe('401 invalid_token');
  });
});

const endpoint = (): string => `${gateway.url}/token`;
const prove = (changes: object = {}, header: object = {}): Promise<string> =>
  dpop.prove('', endpoint(), 'POST', { ath: undefined, ...changes }, header);
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const SHARED = 'A'.repeat(43);
const PROOF = { typ: 'dpop+jwt', jwk: { kty: 'oct', k: SHARED } };
const proofClaims = (): object => ({
  jti: randomUUID(),
  htm: 'POST',
  htu: endpoint(),
  iat: Math.floor(Date.now() / 1000),
});
const bound = async (by?: Credentials): Promise<Answer> =>
  token(PASSWORD, by, { dpop: await prove() });
const resource = (): string => `${gateway.url}/private/custom`;

describe('RFC 9449', () => {
  it('4.3: a proof is for this method and URL, new, and used once', async () => {
    for (const changes of [
      { htm: 'GET' },
      { htu: `${gateway.url}/other` },
      { iat: Math.floor(Date.now() / 1000) - 600 },
      { jti: undefined },
    ]) {
      const answer = await token(PASSWORD, WEB, { dpop: await prove(changes) });
      expect(refusal(answer)).toBe('400 invalid_dpop_proof');
    }
    const once = await prove();
    expect((await token(PASSWORD, WEB, { dpop: once })).status).toBe(200);
    expect(refusal(await token(PASSWORD, WEB, { dpop: once }))).toBe('400 invalid_dpop_proof');
  });

  it.each<[string, () => Promise<string>]>([
    ['typ is another', async () => prove({}, { typ: 'JWT' })],
    ['typ is not there', async () => prove({}, { typ: undefined })],
    ['jwk is not there', async () => prove({}, { jwk: undefined })],
    ['jwk holds a private key', async () => prove({}, { jwk: { ...dpop.jwk, d: 'AAAA' } })],
    ['jwk is another key', async () => prove({}, { jwk: (await createDpopClient()).jwk })],
    ['alg is none', async () => `${encode({ ...PROOF, alg: 'none' })}.${encode(proofClaims())}.`],
    ['alg is symmetric', async () => hs256(SHARED, { ...PROOF, alg: 'HS256' }, proofClaims())],
    ['htm is not there', async () => prove({ htm: undefined })],
    ['htu is not there', async () => prove({ htu: undefined })],
    ['iat is not there', async () => prove({ iat: undefined })],
    ['it is no JWT', async () => 'a.b.c'],
    ['it is empty', async () => ''],
  ])('4.3: a proof is refused where %s', async (_what, make) => {
    const answer = await token(PASSWORD, WEB, { dpop: await make() });
    expect(refusal(answer)).toBe('400 invalid_dpop_proof');
  });

  it('4.3: query and fragment of htu do not count, nor does the case of the host', async () => {
    const upper = endpoint().replace('http:', 'HTTP:');
    for (const htu of [`${endpoint()}?a=b`, `${endpoint()}#c`, upper])
      expect((await token(PASSWORD, WEB, { dpop: await prove({ htu }) })).status).toBe(200);
  });

  it('4.3: there is one proof', async () => {
    const two = `${await prove()}, ${await prove()}`;
    expect(refusal(await token(PASSWORD, WEB, { dpop: two }))).toBe('400 invalid_dpop_proof');
  });

  it('5: a token for a proof is bound, and of type DPoP', async () => {
    const { json } = await bound();
    expect(json.token_type).toBe('DPoP');
    expect(part(String(json.access_token), 1).cnf).toEqual(dpop.cnf);
  });

  it('5: the refresh token of a public client is bound, too', async () => {
    const { refresh } = pairOf(await bound(SPA));
    expect(refusal(await renew(refresh, {}, SPA))).toBe('400 invalid_dpop_proof');
    const form = { grant_type: 'refresh_token', refresh_token: refresh };
    expect((await token(form, SPA, { dpop: await prove() })).status).toBe(200);
  });

  it('5.1: the metadata name the algorithms of proofs', async () => {
    const { dpop_signing_alg_values_supported: algorithms } = await metadata();
    expect(algorithms).toContain('ES256');
    expect(algorithms).not.toContain('HS256');
  });

  it('6.1: cnf.jkt is the thumbprint of the key', async () => {
    const { json } = await bound();
    expect((await introspect(String(json.access_token))).json).toMatchObject({
      cnf: dpop.cnf,
      token_type: 'DPoP',
    });
  });

  it('7.1: a bound token comes with the scheme DPoP and a proof with ath', async () => {
    const { access } = pairOf(await bound());
    const headers = await dpop.headers(access, resource());
    expect((await call(resource(), { headers })).status).toBe(200);
    const other = await dpop.headers(access, resource(), 'GET', { ath: 'x' });
    expect((await call(resource(), { headers: other })).status).toBe(401);
  });

  it('7.1: and by the key that it is bound to', async () => {
    const { access } = pairOf(await bound());
    const headers = await (await createDpopClient()).headers(access, resource());
    expect(refusal(await call(resource(), { headers }))).toBe('401 invalid_token');
  });

  it('7.2: a token that is not bound is no DPoP token', async () => {
    const { access } = await login();
    const headers = await dpop.headers(access, resource());
    expect(refusal(await call(resource(), { headers }))).toBe('401 invalid_token');
  });

  it('7.1: the challenge of the scheme DPoP says what is wrong, and algs', async () => {
    const { access } = pairOf(await bound());
    const answer = await call(resource(), { headers: { authorization: `DPoP ${access}` } });
    expect(challenge(answer)).toMatch(/DPoP error="invalid_dpop_proof".*algs="[^"]*ES256/);
  });

  it('7.2: a bound token is no bearer token', async () => {
    const { access } = pairOf(await bound());
    expect(refusal(await api(access))).toBe('401 invalid_token');
  });
});

describe('RFC 9728', () => {
  it('2: resource, authorization_servers, and how tokens are sent', async () => {
    const { json } = await call(`${gateway.url}/.well-known/oauth-protected-resource/private`);
    expect(json).toMatchObject({
      resource: `${gateway.url}/private`,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    });
  });

  it('3.1: the path of the resource stands behind the well-known part', async () => {
    const { status, headers } = await call(`${gateway.url}/.well-known/oauth-protected-resource`);
    expect([status, headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
  });

  it('3.1: GET only, and no document for what is not protected', async () => {
    const url = `${gateway.url}/.well-known/oauth-protected-resource`;
    expect((await call(url, { method: 'POST' })).status).toBe(405);
    expect((await call(`${url}/health/live`)).status).toBe(404);
  });

  it('3.2: there are no empty lists', async () => {
    const { json } = await call(`${gateway.url}/.well-known/oauth-protected-resource`);
    expect(
      Object.values(json).filter((value) => Array.isArray(value) && value.length === 0),
    ).toEqual([]);
  });

  it('5.1: a challenge says where the metadata are', async () => {
    const answer = await call(resource());
    const url = `${gateway.url}/.well-known/oauth-protected-resource/private/custom`;
    expect(challenge(answer)).toContain(`resource_metadata="${url}"`);
    expect((await call(url)).json.resource).toBe(resource());
  });
});

const bank = async (claims: object): Promise<Answer> =>
  callWith(`${appUrl}/bank`, await tokenOf(jwk, { iss: issuer, aud: AUDIENCE, ...claims }));

describe('RFC 9470', () => {
  it('3: a login that is not strong enough is told what would be', async () => {
    const answer = await bank({ acr: 'pwd', auth_time: Math.floor(Date.now() / 1000) });
    expect(refusal(answer)).toBe('401 insufficient_user_authentication');
    expect(challenge(answer)).toMatch(
      /error="insufficient_user_authentication".*acr_values="urn:mfa", max_age="300"/,
    );
  });

  it('3: so is one that is too old', async () => {
    const answer = await bank({ acr: 'urn:mfa', auth_time: Math.floor(Date.now() / 1000) - 400 });
    expect(refusal(answer)).toBe('401 insufficient_user_authentication');
  });

  it('6.1: acr and auth_time of the token decide', async () => {
    const auth_time = Math.floor(Date.now() / 1000) - 10;
    expect((await bank({ acr: 'urn:mfa', auth_time })).status).toBe(200);
    expect(refusal(await bank({ acr: 'urn:mfa' }))).toBe('401 insufficient_user_authentication');
  });

  it('6.2: introspection tells acr and auth_time', async () => {
    const { json } = await introspect((await login()).access);
    expect(json).toMatchObject({ acr: CLAIMS.acr, auth_time: CLAIMS.auth_time });
  });
});
