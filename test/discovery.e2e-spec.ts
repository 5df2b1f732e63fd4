import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reply, startFaultyBackend } from './helpers/backends/faulty-backend.js';
import { freePort } from './helpers/run/free-port.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith } from './helpers/network/http.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { postForm } from './helpers/sessions/sessions.js';

const DOCUMENTS = ['oauth-authorization-server', 'openid-configuration'];
const insecure = { [oauth.allowInsecureRequests]: true } as const;

let gateway: Gateway;
let es256: Record<string, string>;
beforeAll(async () => {
  const path = writeKeys([await generateJwk('ES256', 'e1')]);
  es256 = { SIGNER_ALG: 'ES256', SIGNER_JWK_LOCAL_PATH: path };
});
afterEach(() => gateway?.stop());

/** A gateway as nobody has told it anything; its URL is the one that it calls itself. */
async function start(env: Record<string, string> = {}): Promise<string> {
  gateway = await hostGateway({ SIGNER_ISSUER: '', VALIDATOR_AUDIENCE: '', ...env });
  return gateway.url.replace('127.0.0.1', 'localhost');
}
const warnings = (): unknown[] =>
  gateway
    .log()
    .filter(({ level }) => level === 40)
    .map(({ msg }) => msg);

describe('a gateway without any setting', () => {
  it('signs as the URL that it listens on, for its audience, and takes what it signed', async () => {
    const url = await start();
    expect(gateway.output()).toContain(`Listening on ${gateway.url}`);
    const { json } = await call(`${url}/token`, { method: 'POST' });
    const claims = part(String(json.access_token), 1);
    expect(claims).toMatchObject({ iss: url, aud: 'http://api.example.com' });
    expect(part(String(json.refresh_token), 1)).toMatchObject({ iss: url });
    expect((await callWith(`${url}/private/custom`, String(json.access_token))).status).toBe(200);
    expect(warnings()).toEqual([]);
  });

  it.each(['none', 'client_secret_basic', 'client_secret_post'] as const)(
    'is found by openid-client by default, with %s',
    async (method) => {
      const url = await start(es256);
      const authentication = {
        none: client.None(),
        client_secret_basic: client.ClientSecretBasic('demo-secret'),
        client_secret_post: client.ClientSecretPost('demo-secret'),
      }[method];
      const config = await client.discovery(new URL(url), 'demo', undefined, authentication, {
        execute: [client.allowInsecureRequests],
      });
      expect(config.serverMetadata().supportsPKCE()).toBe(false);
      const tokens =
        method === 'none'
          ? await client.genericGrantRequest(config, 'password', {
              username: 'alice',
              password: 'wonderland',
            })
          : await client.clientCredentialsGrant(config, { scope: 'read' });
      expect(tokens.expiresIn()).toBeGreaterThan(3000);
      const resource = new URL('/private/custom', url);
      const { access_token: token } = tokens;
      expect((await client.fetchProtectedResource(config, token, resource, 'GET')).status).toBe(
        200,
      );
    },
  );

  it.each(['oidc', 'oauth2'] as const)('is found by oauth4webapi with %s', async (algorithm) => {
    const issuer = new URL(await start(es256));
    const response = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, response);
    const demo = { client_id: 'demo' };
    const answer = await oauth.clientCredentialsGrantRequest(
      as,
      demo,
      oauth.ClientSecretBasic('demo-secret'),
      {},
      insecure,
    );
    const tokens = await oauth.processClientCredentialsResponse(as, demo, answer);
    expect(part(tokens.access_token, 1).iss).toBe(as.issuer);
    const wrong = await oauth.clientCredentialsGrantRequest(
      as,
      demo,
      oauth.ClientSecretBasic('x'),
      {},
      insecure,
    );
    await expect(oauth.processClientCredentialsResponse(as, demo, wrong)).rejects.toMatchObject({
      cause: [{ scheme: 'basic', parameters: { realm: 'demo' } }],
    });
  });
});

describe('the issuer', () => {
  it.each([
    [{ PUBLIC_URL: 'https://gw.example' }, 'https://gw.example', 'https://gw.example'],
    [{ PUBLIC_URL: 'https://gw.example/' }, 'https://gw.example/', 'https://gw.example'],
    [
      { PUBLIC_URL: 'https://gw.example', SIGNER_ISSUER: 'https://id.example' },
      'https://id.example',
      'https://gw.example',
    ],
    [{ PORT: 'free' }, 'http://localhost:PORT', 'http://localhost:PORT'],
  ])('with %j is %s, and the endpoints are below %s', async (given, issuer, base) => {
    const port = String(await freePort());
    await start('PORT' in given ? { PORT: port } : given);
    const { json } = await call(`${gateway.url}/.well-known/openid-configuration`);
    expect([json.issuer, json.token_endpoint]).toEqual([
      issuer.replace('PORT', port),
      `${base.replace('PORT', port)}/token`,
    ]);
    const tokens = await call(`${gateway.url}/token`, { method: 'POST' });
    expect(part(String(tokens.json.access_token), 1).iss).toBe(json.issuer);
    expect(
      (await callWith(`${gateway.url}/private/custom`, String(tokens.json.access_token))).status,
    ).toBe(200);
  });

  it('is not that of the claims: they stay, with one warning', async () => {
    const backend = await startFaultyBackend();
    await start({ BACKEND_HOST: backend.url });
    for (const iss of ['https://other', 'https://third', 'https://other']) {
      const body = JSON.stringify({ access_token: { sub: 'u', iss } });
      backend.does((socket) => socket.write(reply(body)));
      const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
      expect(part(String(json.access_token), 1).iss).toBe(iss);
    }
    await gateway.stop();
    await backend.down();
    expect(warnings()).toEqual([expect.stringMatching(/^Claims came with an iss .*SIGNER_ISSUER/)]);
  });

  it('is no token of somebody else: an ID token gets no audience', async () => {
    const backend = await startFaultyBackend();
    await start({
      BACKEND_HOST: backend.url,
      SIGNER_KEYS_TO_SIGN: 'access_token,id_token',
      SIGNER_AUDIENCE: 'https://orders.example',
    });
    backend.does((socket) =>
      socket.write(reply('{"access_token":{"sub":"u"},"id_token":{"sub":"u"}}')),
    );
    const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
    await backend.down();
    expect(part(String(json.access_token), 1).aud).toBe('https://orders.example');
    expect(part(String(json.id_token), 1)).not.toHaveProperty('aud');
    expect(part(String(json.id_token), 1).token_use).toBe('id');
  });

  it('opens no routes: an ID token, whatever its audience', async () => {
    const backend = await startFaultyBackend();
    const claims = '{"sub":"u","roles":["role_a"],"aud":"http://api.example.com","nonce":"n"}';
    const codeOf = async (settings: Record<string, string>): Promise<unknown[]> => {
      await start({
        BACKEND_HOST: backend.url,
        SIGNER_KEYS_TO_SIGN: 'access_token,id_token',
        ...settings,
      });
      backend.does((socket) =>
        socket.write(reply(`{"access_token":${claims},"id_token":${claims}}`)),
      );
      const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
      const codes: unknown[] = [];
      for (const token of [json.access_token, json.id_token]) {
        const headers = { authorization: `Bearer ${String(token)}` };
        const answer = await call(`${gateway.url}/private/custom`, { headers });
        codes.push(answer.json.code ?? answer.status);
      }
      // Whoever has it may take it back all the same.
      const body = new URLSearchParams({ token: String(json.id_token) });
      const revoked = await call(`${gateway.url}/token/revoke`, { method: 'POST', body });
      codes.push(revoked.status);
      await gateway.stop();
      return codes;
    };
    expect(await codeOf({})).toEqual([200, 'type_not_allowed', 200]);
    expect(await codeOf({ VALIDATOR_ID_TOKENS: 'true' })).toEqual([200, 200, 200]);
    await backend.down();
  });
});

describe('the public documents', () => {
  const paths = (issuer: string): string[] => {
    const path = new URL(issuer).pathname.replace(/\/$/, '');
    return DOCUMENTS.flatMap((name) => [
      `/.well-known/${name}`,
      `/.well-known/${name}${path}`,
      `${path}/.well-known/${name}`,
    ]);
  };

  it.each(['https://gw.example', 'https://gw.example/tenants/1', 'https://gw.example/a/'])(
    'of the issuer %s stand where RFC 8414 and OpenID Connect say',
    async (issuer) => {
      await start({ SIGNER_ISSUER: issuer });
      for (const path of paths(issuer)) {
        const { status, headers, json } = await call(gateway.url + path);
        expect([path, status, json.issuer]).toEqual([path, 200, issuer]);
        expect(headers.get('access-control-allow-origin')).toBe('*');
        expect(headers.get('cache-control')).toBe('public, max-age=300');
        const empty = Object.values(json).filter((value) => Array.isArray(value) && !value.length);
        expect(empty).toEqual([]);
      }
      for (const name of DOCUMENTS)
        for (const path of [`/.well-known/${name}/other`, `/other/.well-known/${name}`])
          expect((await call(gateway.url + path)).json.code).toBe('not_found');
    },
  );

  it('can be read by pages of all origins, the keys, too', async () => {
    await start(es256);
    const url = `${gateway.url}/.well-known/jwks.json`;
    const { headers } = await call(url);
    const again = await call(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
    expect([again.status, again.headers.get('access-control-allow-origin')]).toEqual([304, '*']);
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each<[Record<string, string>, object]>([
    [
      {},
      {
        grant_types_supported: ['password', 'client_credentials'],
        token_endpoint_auth_methods_supported: [
          'none',
          'client_secret_basic',
          'client_secret_post',
        ],
        introspection_endpoint: undefined,
        introspection_endpoint_auth_methods_supported: undefined,
        response_types_supported: undefined,
        scopes_supported: undefined,
        // There is nothing that others could verify with.
        id_token_signing_alg_values_supported: undefined,
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']) as unknown,
      },
    ],
    [
      {
        TOKEN_BACKEND_GRANTS: 'urn:ietf:params:oauth:grant-type:token-exchange',
        TOKEN_BACKEND_AUTH_METHODS: 'client_secret_basic',
        REFRESH_BACKEND_PATH: '/refresh.json',
        ADMIN_ROLES: 'role_a',
        SIGNER_ALG: 'ES256',
        SWAGGER_ENABLED: 'false',
        DPOP: 'off',
      },
      {
        grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange', 'refresh_token'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        introspection_endpoint_auth_methods_supported: ['Bearer'],
        dpop_signing_alg_values_supported: undefined,
        id_token_signing_alg_values_supported: ['ES256'],
        service_documentation: undefined,
      },
    ],
  ])('with %j tell what is so', async (env, expected) => {
    await start(env);
    const { json } = await call(`${gateway.url}/.well-known/oauth-authorization-server`);
    for (const [name, value] of Object.entries(expected))
      expect([name, json[name]]).toEqual([name, value]);
    // Each endpoint that is named is there, and takes POST only.
    const endpoints = Object.entries(json).filter(([name]) => name.endsWith('_endpoint'));
    for (const [name, url] of endpoints) {
      const { status } = await call(gateway.url + new URL(String(url)).pathname);
      expect([name, status]).toEqual([name, 405]);
    }
  });

  it('announce a way for clients that the login checks: HTTP Basic reaches it', async () => {
    await start();
    const demo = `Basic ${Buffer.from('demo:demo-secret').toString('base64')}`;
    const ask = (authorization: string) =>
      postForm(`${gateway.url}/token`, { grant_type: 'client_credentials' }, { authorization });
    expect((await ask(demo)).status).toBe(200);
    const { status, json } = await ask(`Basic ${Buffer.from('demo:x').toString('base64')}`);
    expect([status, json.error]).toEqual([401, 'invalid_client']);
    // Any other scheme is not for the login.
    expect((await ask(demo.replace('Basic', 'Bearer'))).json.error).toBe('invalid_client');
  });
});
