import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule, RequireJwt } from '../src/auth/index.js';
import { basicHeader } from '../src/clients/index.js';
import { ErrorFilter } from '../src/http/index.js';
import { JwksModule } from '../src/jwks/index.js';
import { startBackend, type Backend } from './helpers/backend.js';
import {
  byBasic,
  byName,
  byPost,
  withSecret,
  writeClients,
  type Credentials,
} from './helpers/clients.js';
import { createDpopClient, type DpopClient } from './helpers/dpop.js';
import type { Gateway } from './helpers/gateway.js';
import { hostGateway } from './helpers/host.js';
import { call, callWith, type Answer } from './helpers/http.js';
import { tokenOf } from './helpers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/keys.js';
import { pairOf, postForm, type Pair } from './helpers/sessions.js';

/*
 * The MUSTs and SHOULDs of the RFCs that docs/standards.md names, as far as they are about this side, each over HTTP and with
 * its section. What a row cannot ask for alone stands in the specs of the subject.
 */

const AUDIENCE = 'https://api.example.com';
const OTHER = 'https://other.example.com';
const SECRET = 'a secret of the test: with + and %';
const GRANTS = ['password', 'refresh_token', 'client_credentials'];

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
  const claims = { sub: 'u1', scope: 'read write' };
  const body = {
    access_token: { ...claims, roles: ['role_a'] },
    refresh_token: claims,
    scope: 'read write',
  };
  await backend.answer('/token.json', { body });
  await backend.answer('/refresh.json', { body });
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

  it('2.2: a token that is none is 200', async () => {
    expect((await post('/token/revoke', { token: 'none' })).status).toBe(200);
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
const prove = (changes: object = {}): Promise<string> =>
  dpop.prove('', endpoint(), 'POST', { ath: undefined, ...changes });
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
});
