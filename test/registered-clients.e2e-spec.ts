import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ClientOAuth2 from 'client-oauth2';
import { exportJWK, generateKeyPair, type CryptoKey } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { ClientCredentials, ResourceOwnerPassword } from 'simple-oauth2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSignet } from './helpers/gateway/cli.js';
import { freePort } from './helpers/run/free-port.js';
import { parseClients } from '../src/core/clients/index.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { bash, blocksOf, environmentOf, expectSession } from './helpers/pages/manual.js';
import { tempFolder } from './helpers/run/resources.js';
import { custom } from './helpers/sessions/sessions.js';

/* Clients as they come from npm, registered with `signet clients add`. */

const AUDIENCE = 'https://api.example.com';
const secrets = new Map<string, string>();
let gateway: Gateway;
let issuer: URL;
let privateKey: CryptoKey;

beforeAll(async () => {
  const cwd = tempFolder('clients');
  const pair = await generateKeyPair('ES256', { extractable: true });
  ({ privateKey } = pair);
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'c1', alg: 'ES256' };
  writeFileSync(join(cwd, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  const login = ['--grant-type', 'password', '--grant-type', 'refresh_token'];
  const both = [...login, '--grant-type', 'client_credentials'];
  const roles = [
    '--claims',
    '{"roles":["role_c"]}',
    '--audience',
    AUDIENCE,
    '--scope',
    'read write',
  ];
  for (const [id, ...options] of [
    ['web', ...both, ...roles],
    ['post', '--method', 'client_secret_post', ...both, ...roles],
    ['keyed', '--method', 'private_key_jwt', '--jwks', 'jwks.json', ...both, ...roles],
    ['spa', '--method', 'none', ...login],
  ] as const) {
    const { stdout } = await runSignet(['clients', 'add', id, ...options], { cwd });
    secrets.set(id, /client_secret +(\S+)/.exec(stdout)?.[1] ?? '');
  }
  const port = String(await freePort());
  issuer = new URL(`http://127.0.0.1:${port}`);
  gateway = await startGateway({
    PORT: port,
    PUBLIC_URL: issuer.origin,
    SIGNER_ISSUER: issuer.origin,
    // The demo login sends an issuer of its own.
    VALIDATOR_ISSUER: `${issuer.origin},https://krakend.io`,
    VALIDATOR_DISCOVERY: 'false',
    VALIDATOR_AUDIENCE: `${AUDIENCE},http://api.example.com`,
    SIGNER_ALG: 'ES256',
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('ES256', 'e1')]),
    REFRESH_BACKEND_PATH: '/refresh.json',
    CLIENTS_FILE: join(cwd, 'clients.json'),
  });
});
afterAll(() => gateway?.stop());

const secretOf = (id: string): string => secrets.get(id) ?? '';
const ALICE = { username: 'alice', password: 'wonderland' };

const CONFIDENTIAL: [string, () => client.ClientAuth][] = [
  ['web', () => client.ClientSecretBasic(secretOf('web'))],
  ['post', () => client.ClientSecretPost(secretOf('post'))],
  ['keyed', () => client.PrivateKeyJwt({ key: privateKey, kid: 'c1' })],
];

describe('openid-client', () => {
  const discover = (id: string, auth: client.ClientAuth): Promise<client.Configuration> =>
    client.discovery(issuer, id, undefined, auth, {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });

  it.each([...CONFIDENTIAL, ['spa', client.None] as const])(
    'logs in, refreshes, calls and revokes as %s',
    async (id, auth) => {
      const config = await discover(id, auth());
      const first = await client.genericGrantRequest(config, 'password', ALICE);
      const second = await client.refreshTokenGrant(config, first.refresh_token ?? '');
      expect(part(second.access_token, 1)).toMatchObject({ client_id: id });
      expect(await custom(gateway.url, second.access_token)).toBe('200');
      await client.tokenRevocation(config, second.refresh_token ?? '');
      expect(await custom(gateway.url, second.access_token)).toBe('401 token_revoked');
      const ended = client.refreshTokenGrant(config, second.refresh_token ?? '');
      await expect(ended).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    },
  );

  it.each(CONFIDENTIAL)('gets a token for itself as %s, and introspects it', async (id, auth) => {
    const config = await discover(id, auth());
    const tokens = await client.clientCredentialsGrant(config, { scope: 'read' });
    expect(tokens.refresh_token).toBeUndefined();
    expect(part(tokens.access_token, 1)).toMatchObject({ sub: id, scope: 'read', aud: AUDIENCE });
    expect(await custom(gateway.url, tokens.access_token)).toBe('200');
    expect(await client.tokenIntrospection(config, tokens.access_token)).toMatchObject({
      active: true,
      client_id: id,
      token_use: 'access',
    });
  });
});

describe('oauth4webapi', () => {
  it('gets a token with a key, and is told why it gets none', async () => {
    const response = await oauth.discoveryRequest(issuer, {
      algorithm: 'oauth2',
      [oauth.allowInsecureRequests]: true,
    });
    const as = await oauth.processDiscoveryResponse(new URL(issuer.origin), response);
    const ask = async (id: string, auth: oauth.ClientAuth, form = {}): Promise<unknown> => {
      const me = { client_id: id };
      const answer = await oauth.clientCredentialsGrantRequest(as, me, auth, form, {
        [oauth.allowInsecureRequests]: true,
      });
      return oauth.processClientCredentialsResponse(as, me, answer);
    };
    const byKey = oauth.PrivateKeyJwt({ key: privateKey, kid: 'c1' });
    expect(await ask('keyed', byKey)).toMatchObject({ token_type: 'bearer', scope: 'read write' });
    const widened = ask('keyed', byKey, { scope: 'read admin' });
    await expect(widened).rejects.toMatchObject({ error: 'invalid_scope', status: 400 });
    const wrong = ask('web', oauth.ClientSecretBasic('wrong'));
    await expect(wrong).rejects.toMatchObject({ name: 'WWWAuthenticateChallengeError' });
    await expect(ask('spa', oauth.None())).rejects.toMatchObject({ error: 'unauthorized_client' });
  });
});

describe('simple-oauth2', () => {
  it('with its default, HTTP Basic', async () => {
    const auth = { tokenHost: issuer.origin, tokenPath: '/token', revokePath: '/token/revoke' };
    const config = { client: { id: 'web', secret: secretOf('web') }, auth };
    const { token } = await new ClientCredentials(config).getToken({ scope: 'read' });
    expect(await custom(gateway.url, String(token.access_token))).toBe('200');
    const first = await new ResourceOwnerPassword(config).getToken(ALICE);
    const second = await first.refresh();
    expect(await custom(gateway.url, String(second.token.access_token))).toBe('200');
    await second.revoke('refresh_token');
    expect(await custom(gateway.url, String(second.token.access_token))).toBe('401 token_revoked');
    const wrong = new ClientCredentials({ ...config, client: { id: 'web', secret: 'x' } });
    await expect(wrong.getToken({})).rejects.toMatchObject({ output: { statusCode: 401 } });
  });
});

describe('client-oauth2', () => {
  it('with its default, HTTP Basic', async () => {
    const web = new ClientOAuth2({
      clientId: 'web',
      clientSecret: secretOf('web'),
      accessTokenUri: `${issuer.origin}/token`,
    });
    const { accessToken } = await web.credentials.getToken();
    expect(await custom(gateway.url, accessToken)).toBe('200');
    const first = await web.owner.getToken(ALICE.username, ALICE.password);
    const second = await first.refresh();
    expect(part(second.accessToken, 1)).toMatchObject({ client_id: 'web' });
    expect(await custom(gateway.url, second.accessToken)).toBe('200');
  });
});

describe('the page about clients', () => {
  it('shows what happens', async () => {
    const [start, session] = blocksOf('clients', 'Tokens for services', 'bash', 'bash');
    const cwd = tempFolder('clients');
    const commands = start.replace(/^CLIENTS_FILE=.*npm start$/m, '');
    const secret = /client_secret +(\S+)/.exec(await bash(commands, {}, cwd))?.[1] ?? '';
    const other = await startGateway(environmentOf(start), cwd);
    expect(await expectSession(`SECRET=${secret}\n${session}`, other.url)).toHaveLength(5);
    await other.stop();
  });

  it('shows a file that is right', () => {
    const [text] = blocksOf('clients', 'The file', 'json');
    expect([...parseClients(text, 'docs').keys()]).toEqual(['billing', 'web', 'spa']);
  });
});
