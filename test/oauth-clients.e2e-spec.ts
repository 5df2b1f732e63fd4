import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { create } from 'axios';
import * as axiosClient from 'axios-oauth-client';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { Strategy as ClientPasswordStrategy } from 'passport-oauth2-client-password';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { freePort } from './helpers/run/free-port.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { expectError } from './helpers/network/http.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { custom, postForm } from './helpers/sessions/sessions.js';

/** What the gateway is taken for: an authorization server of that name. */
let issuer: URL;
let gateway: Gateway;
let backend: Backend;

const insecure = { [oauth.allowInsecureRequests]: true } as const;
const AUDIENCE = 'https://api.example.com';
const shop: oauth.Client = { client_id: 'shop' };

const answer = (claims: object) => ({
  access_token: { sub: 'u1', aud: AUDIENCE, client_id: 'shop', scope: 'read write', ...claims },
  refresh_token: { sub: 'u1', aud: AUDIENCE, client_id: 'shop' },
  scope: 'read write',
});

beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/token.json', { body: answer({ roles: ['admin'] }) });
  await backend.answer('/refresh.json', { body: answer({ roles: ['admin'] }) });
  const env = {
    BACKEND_HOST: backend.url,
    SIGNER_ALG: 'ES256',
    SIGNER_KID: 'e1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('ES256', 'e1')]),
    SIGNER_TYP: 'at+jwt',
    VALIDATOR_AUDIENCE: AUDIENCE,
    REFRESH_BACKEND_PATH: '/refresh.json',
    ADMIN_ROLES: 'admin',
  };
  // The name has to be known before the gateway has a port.
  const port = String(await freePort());
  issuer = new URL(`http://127.0.0.1:${port}`);
  gateway = await startGateway({
    ...env,
    PORT: port,
    SIGNER_ISSUER: issuer.origin,
    VALIDATOR_ISSUER: issuer.origin,
    PUBLIC_URL: issuer.origin,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

describe('oauth4webapi, as it comes from npm', () => {
  let as: oauth.AuthorizationServer;

  it('discovers the metadata (RFC 8414)', async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    as = await oauth.processDiscoveryResponse(new URL(issuer.origin), response);
    expect(as.grant_types_supported).toContain('refresh_token');
    expect(as.introspection_endpoint).toBe(`${issuer.origin}/token/introspect`);
  });

  const password = async (): Promise<oauth.TokenEndpointResponse> => {
    const response = await oauth.genericTokenEndpointRequest(
      as,
      shop,
      oauth.None(),
      'password',
      { username: 'alice', password: 'wonderland' },
      insecure,
    );
    return oauth.processGenericTokenEndpointResponse(as, shop, response);
  };
  const validate = (token: string): Promise<oauth.JWTAccessTokenClaims> =>
    oauth.validateJwtAccessToken(
      as,
      new Request('https://api.example.com/x', { headers: { authorization: `Bearer ${token}` } }),
      AUDIENCE,
      insecure,
    );
  /** The gateway wants a bearer token of an admin there. */
  const bearer =
    (token: string): oauth.ClientAuth =>
    (_as, _client, _body, headers) =>
      headers.set('authorization', `Bearer ${token}`);
  const introspect = async (token: string, admin: string): Promise<oauth.IntrospectionResponse> => {
    const response = await oauth.introspectionRequest(as, shop, bearer(admin), token, insecure);
    return oauth.processIntrospectionResponse(as, shop, response);
  };

  it('gets tokens with the password grant, valid as of RFC 9068 with a key of our JWKS', async () => {
    const tokens = await password();
    expect(tokens.token_type).toBe('bearer');
    expect(tokens.expires_in).toBe(3600);
    expect(await validate(tokens.access_token)).toMatchObject({ sub: 'u1', client_id: 'shop' });
  });

  it('gets tokens with the client credentials grant', async () => {
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      shop,
      oauth.ClientSecretPost('secret'),
      { scope: 'read write' },
      insecure,
    );
    const tokens = await oauth.processClientCredentialsResponse(as, shop, response);
    expect(await validate(tokens.access_token)).toMatchObject({ scope: 'read write' });
    const seen = backend.seen.at(-1)?.body.toString();
    expect(new URLSearchParams(seen).get('client_secret')).toBe('secret');
  });

  it('gets the backend’s refusal as an OAuth error', async () => {
    await backend.answer('/token.json', {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'wrong password' },
    });
    await expect(password()).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    await backend.answer('/token.json', { body: answer({ roles: ['admin'] }) });
  });

  it('refreshes, introspects and revokes', async () => {
    const first = await password();
    const admin = (await password()).access_token;
    const response = await oauth.refreshTokenGrantRequest(
      as,
      shop,
      oauth.None(),
      first.refresh_token ?? '',
      insecure,
    );
    const second = await oauth.processRefreshTokenResponse(as, shop, response);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await introspect(second.access_token, admin)).toMatchObject({
      active: true,
      sub: 'u1',
      client_id: 'shop',
      scope: 'read write',
      token_type: 'Bearer',
      iss: issuer.origin,
    });
    expect(await introspect(second.refresh_token ?? '', admin)).toMatchObject({ active: true });
    expect(await introspect(first.refresh_token ?? '', admin)).toEqual({ active: false });
    expect(await introspect('garbage', admin)).toEqual({ active: false });

    const revoked = await oauth.revocationRequest(
      as,
      shop,
      oauth.None(),
      second.refresh_token ?? '',
      insecure,
    );
    await oauth.processRevocationResponse(revoked);
    expect(await introspect(second.access_token, admin)).toEqual({ active: false });
    expect(await introspect(second.refresh_token ?? '', admin)).toEqual({ active: false });
    expect(await introspect(admin, admin)).toMatchObject({ active: true });
  });

  it('gets invalid_grant for a refresh token that is used twice', async () => {
    const { refresh_token: token = '' } = await password();
    const use = async (refreshToken: string): Promise<oauth.TokenEndpointResponse> => {
      const response = await oauth.refreshTokenGrantRequest(
        as,
        shop,
        oauth.None(),
        refreshToken,
        insecure,
      );
      return oauth.processRefreshTokenResponse(as, shop, response);
    };
    const next = await use(token);
    // Until its answer is used, the request may be repeated.
    expect(await use(token)).toEqual(next);
    await use(next.refresh_token ?? '');
    await expect(use(token)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
  });
});

describe('openid-client, as it comes from npm', () => {
  let config: client.Configuration;

  it('discovers, logs in, refreshes, calls and revokes', async () => {
    config = await client.discovery(issuer, 'shop', undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });
    expect(config.serverMetadata().token_endpoint).toBe(`${issuer.origin}/token`);
    const first = await client.genericGrantRequest(config, 'password', {
      username: 'alice',
      password: 'wonderland',
    });
    const second = await client.refreshTokenGrant(config, first.refresh_token ?? '');
    const url = new URL('/admin/revocations', issuer);
    const protectedCall = (): Promise<Response> =>
      client.fetchProtectedResource(config, second.access_token, url, 'GET');
    expect((await protectedCall()).status).toBe(200);
    await client.tokenRevocation(config, second.refresh_token ?? '');
    await expect(protectedCall()).rejects.toMatchObject({ status: 401 });
  });

  it('logs in with the client credentials grant', async () => {
    const tokens = await client.clientCredentialsGrant(config, { scope: 'read write' });
    expect(tokens.expiresIn()).toBeGreaterThan(3000);
  });
});

describe('axios-oauth-client, as it comes from npm', () => {
  interface Tokens {
    access_token: string;
    refresh_token: string;
  }
  const endpoint = (): string => `${issuer.origin}/token`;

  it('logs in, refreshes, and gets tokens for itself', async () => {
    const http = create();
    const login = axiosClient.ownerCredentials(http, endpoint(), 'shop', 'secret');
    const first = (await login('alice', 'wonderland', 'read')) as Tokens;
    const next = axiosClient.refreshToken(http, endpoint(), 'shop', 'secret');
    const second = (await next(first.refresh_token, 'read')) as Tokens;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    // The route asks for another role: the token itself is good.
    expect(await custom(issuer.origin, second.access_token)).toBe('403 roles_missing');
    const own = axiosClient.clientCredentials(http, endpoint(), 'shop', 'secret');
    expect(await own('read')).toMatchObject({ token_type: 'Bearer', scope: 'read write' });
  });
});

describe('a login that authenticates clients with passport-oauth2-client-password', () => {
  let login: Server;
  const strategy = new ClientPasswordStrategy((id, secret, done) =>
    done(null, id === 'shop' && secret === 's3cret & more' ? { id } : false),
  );

  /** What passport does with a strategy. */
  const authenticate = (request: IncomingMessage, body: object): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const attempt = Object.assign(Object.create(strategy) as typeof strategy, {
        success: () => resolve(true),
        fail: () => resolve(false),
        error: reject,
      });
      attempt.authenticate(Object.assign(request, { body }) as never);
    });

  beforeAll(async () => {
    login = createServer((request, response) => {
      void (async () => {
        const body = Object.fromEntries(new URLSearchParams(await text(request)));
        const known = await authenticate(request, body);
        response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
        // As a Nest application with that strategy refuses.
        response.end(
          JSON.stringify(known ? answer({}) : { message: 'Unauthorized', statusCode: 401 }),
        );
      })();
    }).listen(0);
    await once(login, 'listening');
  });
  afterAll(() => login?.close());

  it('gets the credentials in the body, and its refusal becomes invalid_client', async () => {
    const { port } = login.address() as AddressInfo;
    const other = await hostGateway({
      BACKEND_HOST: `http://127.0.0.1:${port}`,
      VALIDATOR_AUDIENCE: AUDIENCE,
      TOKEN_BACKEND_ERRORS: 'oauth',
    });
    const ask = (secret: string) =>
      postForm(`${other.url}/token`, {
        grant_type: 'client_credentials',
        client_id: 'shop',
        client_secret: secret,
      });
    expect((await ask('s3cret & more')).status).toBe(200);
    const refused = await ask('wrong');
    expectError(refused, 401, 'backend_refused', 'invalid_client');
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="signet"');
  });
});
