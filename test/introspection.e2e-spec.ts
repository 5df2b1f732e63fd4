import { chmodSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text as read } from 'node:stream/consumers';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../src/core/explain/index.js';
import { createCertificate } from './helpers/network/certificate.js';
import { runSignet } from './helpers/gateway/cli.js';
import { createDpopClient } from './helpers/sessions/dpop.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { call, callWith, expectError } from './helpers/network/http.js';
import { readiness, tokenOf, verdict } from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import {
  audienceOf,
  INTROSPECTION_CLIENT,
  startOpenIdProvider,
  type OpenIdProvider,
} from './helpers/issuers/oidc.js';
import { tempFolder } from './helpers/run/resources.js';

const OWN = 'https://gateway.example.com';
let own: JWK, ours: string;
let gateway: Gateway | undefined;

beforeAll(async () => {
  own = await generateJwk('ES256', 'own');
  ours = writeKeys([own]);
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

function writeClient(client: object, mode = 0o600): string {
  const path = join(tempFolder('client'), 'client.json');
  writeFileSync(path, JSON.stringify(client));
  chmodSync(path, mode);
  return path;
}

const environment = (issuer: string, url: string): Record<string, string> => ({
  SIGNER_ALG: 'ES256',
  SIGNER_JWK_LOCAL_PATH: ours,
  SIGNER_ISSUER: OWN,
  VALIDATOR_ISSUER: `${OWN},${issuer}`,
  VALIDATOR_AUDIENCE: audienceOf('opaque'),
  VALIDATOR_INTROSPECTION_URL: url,
  JWK_HTTP_HOSTS: '127.0.0.1',
});
const boot = async (env: Record<string, string>): Promise<string> => {
  gateway = await hostGateway(env);
  return gateway.url;
};
const explainAt = async (url: string, token: string): Promise<Explanation> => {
  const init = { method: 'POST', body: new URLSearchParams({ token }) };
  return (await call(`${url}/_explain`, init)).json as unknown as Explanation;
};
/** What `signet_introspections_total` says, outcomes without calls left out. */
const calls = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    [...((await gateway?.metrics()) ?? '').matchAll(/^signet_introspections_total\{outcome="(\w+)"\} ([1-9]\d*)/gm)] // prettier-ignore
      .map(([, outcome = '', count]) => [outcome, Number(count)]),
  );

describe('opaque tokens of a real OpenID provider', () => {
  let provider: OpenIdProvider;
  beforeAll(async () => {
    provider = await startOpenIdProvider();
  });
  afterAll(() => provider?.stop());

  const forProvider = (more = {}, { issuer } = provider): Record<string, string> => ({
    ...environment(issuer, `${issuer}/token/introspection`),
    VALIDATOR_INTROSPECTION_CLIENT_FILE: writeClient(INTROSPECTION_CLIENT),
    VALIDATOR_INTROSPECTION_CACHE_TTL: '1',
    ...more,
  });

  it('open a route, until they are revoked there; with the provider away it is 503, and works again', async () => {
    let mortal = await startOpenIdProvider();
    const url = await boot(forProvider({}, mortal));
    const [token, other] = await Promise.all([mortal.token('opaque'), mortal.token('opaque')]);
    expect(token).not.toContain('.');
    expect(await verdict(url, token)).toBe('200');
    expect(await verdict(url, other)).toBe('200');
    expect(await verdict(url, 'an-opaque-token-of-nobody')).toBe('401 token_revoked');
    // Our own tokens are not concerned.
    const mine = await tokenOf(own, { iss: OWN, aud: audienceOf('opaque') });
    expect(await verdict(url, mine)).toBe('200');

    await mortal.revoke(token);
    await expect.poll(() => verdict(url, token)).toBe('401 token_revoked');
    expect(await verdict(url, other)).toBe('200');

    await mortal.stop();
    await expect.poll(() => verdict(url, other)).toBe('503 keys_unavailable');
    const answer = await callWith(`${url}/private/custom`, other);
    expectError(answer, 503, 'keys_unavailable', 'temporarily_unavailable');
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await verdict(url, mine)).toBe('200');
    expect(await readiness(url)).toBe(200);

    mortal = await startOpenIdProvider(Number(new URL(mortal.issuer).port));
    const fresh = await mortal.token('opaque');
    await expect.poll(() => verdict(url, fresh)).toBe('200');
    // It keeps tokens in memory, so those from before are unknown now.
    expect(await verdict(url, other)).toBe('401 token_revoked');
    await mortal.stop();
    expect(Object.keys(await calls()).toSorted()).toEqual(['active', 'inactive', 'unavailable']);
    const output = (): string => gateway?.output() ?? '';
    await expect.poll(output).toMatch(/token\/introspection: answers again/);
    expect(output()).toMatch(/introspection: cannot be fetched \(ECONNREFUSED\); .* get 503/);
    const { client_secret: secret } = INTROSPECTION_CLIENT;
    for (const text of [token, other, fresh, secret, encodeURIComponent(secret)])
      expect(output()).not.toContain(text);
  });

  it('one call answers all requests within the time for which it is remembered', async () => {
    const url = await boot(forProvider({ VALIDATOR_INTROSPECTION_CACHE_TTL: '600' }));
    const token = await provider.token('opaque');
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdict(url, token)));
    expect(new Set(verdicts)).toEqual(new Set(['200']));
    expect(await calls()).toEqual({ active: 1 });
    await provider.revoke(token);
    expect(await verdict(url, token)).toBe('200');
  });

  it('that are bound to a key need its proof', async () => {
    const url = await boot(forProvider());
    const client = await createDpopClient();
    const htu = `${provider.issuer}/token`;
    const proof = await client.prove('', htu, 'POST', { ath: undefined });
    const token = await provider.token('opaque', { dpop: proof });
    const target = `${url}/private/custom`;
    expect(await verdict(url, token)).toBe('401 dpop_scheme_needed');
    const headers = await client.headers(token, target);
    expect((await call(target, { headers })).status).toBe(200);
    const stranger = await createDpopClient();
    const stolen = await call(target, { headers: await stranger.headers(token, target) });
    expectError(stolen, 401, 'dpop_key_mismatch', 'invalid_token');
  });

  it('with the wrong client nothing opens, and the log says why', async () => {
    const client = { ...INTROSPECTION_CLIENT, client_secret: 'wrong' };
    const env = { VALIDATOR_INTROSPECTION_CLIENT_FILE: writeClient(client) };
    const url = await boot(forProvider(env));
    expect(await verdict(url, await provider.token('opaque'))).toBe('503 keys_unavailable');
    await expect
      .poll(() => gateway?.output())
      .toMatch(/the client may not ask there \(status 401\)/);
  });

  it('do not administer, do not refresh, and are not revoked or introspected here', async () => {
    const url = await boot(
      forProvider({ ADMIN_ROLES: 'role_a', REFRESH_BACKEND_PATH: '/token.json' }),
    );
    const token = await provider.token('opaque');
    expect(await verdict(url, token)).toBe('200');
    const admin = await callWith(`${url}/admin/revocations`, token);
    expectError(admin, 401, 'token_malformed', 'invalid_token');
    const post = (path: string, parameters: Record<string, string>) =>
      call(`${url}${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
    const refresh = { grant_type: 'refresh_token', refresh_token: 'another-opaque-token' };
    expect((await post('/token', refresh)).json.code).toBe('refresh_token_invalid');
    expect((await post('/token/revoke', { token: 'another-opaque-token' })).status).toBe(200);
    expect(await calls()).toEqual({ active: 1 });
  });

  it('are explained: where they are asked about, and what became of it', async () => {
    const url = await boot(forProvider());
    const token = await provider.token('opaque');
    const { accepted, checks } = await explainAt(url, token);
    expect(accepted).toBe(true);
    expect(checks.map(({ check, verdict: passed }) => `${check} ${passed}`)).toEqual(
      [
        'format', 'introspection', 'issuer', 'kind', 'claim types', 'exp', 'nbf', 'iat', 'iss', 'aud',
        'token kind', 'required claims', 'revocation', 'roles', 'scopes',
      ].map((check) => `${check} passed`),
    ); // prettier-ignore
    expect(checks[1]?.found).toBe(`asked ${provider.issuer}/token/introspection`);
    expect(JSON.stringify(checks)).not.toContain(token);
    const junk = await explainAt(url, 'an-opaque-token-of-nobody');
    expect(junk).toMatchObject({ accepted: false, code: 'token_revoked' });
    expect(junk.checks.find(({ verdict: how }) => how === 'refused')).toMatchObject({
      check: 'introspection',
      reason: expect.stringContaining('not active') as string,
      fix: expect.stringContaining('get a new token') as string,
    });
    const here = (env: Record<string, string>, explained: string) =>
      runSignet(['explain', '-'], { cwd: tempFolder('cli'), env, input: explained });
    const command = await here(forProvider(), token);
    expect([command.code, command.stderr]).toEqual([0, '']);
    expect(command.stdout).toMatch(/^ok {7}introspection {4}asked http:.*\/token\/introspection$/m);
    // Without the setting it is named.
    const { VALIDATOR_INTROSPECTION_URL: _url, VALIDATOR_INTROSPECTION_CLIENT_FILE: _file, ...without } = forProvider(); // prettier-ignore
    const missing = await here(without, token);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/fix: .*opaque token.*VALIDATOR_INTROSPECTION_URL/);
  });
});

describe('JWTs that hold few claims', () => {
  let server: JwksServer, issuer: string, theirs: JWK;
  /** What is answered about a token. */
  let answer: object;
  let asked: string[];
  beforeAll(async () => {
    theirs = await generateJwk('ES256', 'theirs');
    server = await startJwksServer([]);
    issuer = new URL(server.url).origin;
    const documents: Record<string, object> = {
      '/jwks': { keys: [publicHalf(theirs)] },
      '/.well-known/openid-configuration': { issuer, jwks_uri: server.url },
    };
    const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const document = documents[request.url ?? ''];
      if (document === undefined)
        asked.push(new URLSearchParams(await read(request)).get('token') ?? '');
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(document ?? answer));
    };
    const listener: RequestListener = (request, response) => void respond(request, response);
    server.serve(listener);
  });
  afterAll(() => server?.down());

  const all = (): Record<string, string> => ({
    ...environment(issuer, `${issuer}/introspect`),
    VALIDATOR_INTROSPECTION_TOKENS: 'all',
    VALIDATOR_INTROSPECTION_CACHE_TTL: '0',
  });

  it('are asked about once their signature is verified (VALIDATOR_INTROSPECTION_TOKENS=all)', async () => {
    asked = [];
    answer = { active: true, aud: audienceOf('opaque'), sub: 'u1', roles: ['role_a'] };
    const url = await boot(all());
    const lightweight = { iss: issuer, aud: undefined, sub: undefined, roles: undefined };
    const token = await tokenOf(theirs, lightweight);
    await expect.poll(() => verdict(url, token)).toBe('200');
    expect(new Set(asked)).toEqual(new Set([token]));

    asked = [];
    expect(await verdict(url, await tokenOf(own, lightweight))).toBe('401 key_not_found');
    expect(await verdict(url, await tokenOf(own, { iss: OWN, aud: audienceOf('opaque') }))).toBe(
      '200',
    );
    expect(asked).toEqual([]);

    const { checks } = await explainAt(url, token);
    const names = checks.map(({ check }) => check);
    expect(names.slice(names.indexOf('signature'), names.indexOf('exp'))).toEqual([
      'signature', 'typ', 'payload', 'introspection', 'kind', 'claim types',
    ]); // prettier-ignore
    expect(checks.every(({ verdict: how }) => how === 'passed')).toBe(true);

    answer = { active: false };
    expect(await verdict(url, token)).toBe('401 token_revoked');
  });
});

describe('an endpoint behind TLS', () => {
  it('is believed where its certificate is, and nowhere else', async () => {
    const certificate = createCertificate('127.0.0.1');
    const server = await startJwksServer([], certificate);
    server.serve((_request, response) => {
      const body = { active: true, aud: audienceOf('opaque'), exp: 1e10, roles: ['role_a'] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    const ca = join(tempFolder('ca'), 'ca.pem');
    writeFileSync(ca, certificate.cert);
    const { JWK_HTTP_HOSTS: _none, ...env } = environment('https://id.example', server.url);
    const pinned = (pin: string) => ({
      VALIDATOR_JWK_LOCAL_CA: ca,
      VALIDATOR_JWK_FINGERPRINTS: pin,
    });
    const table: [string, Record<string, string>][] = [
      ['503 keys_unavailable', {}],
      ['200', { VALIDATOR_JWK_LOCAL_CA: ca }],
      ['200', pinned(certificate.pin)],
      ['503 keys_unavailable', pinned('A'.repeat(43))],
    ];
    for (const [expected, more] of table) {
      const url = await boot({ ...env, ...more });
      expect(await verdict(url, 'an-opaque-token')).toBe(expected);
      await gateway?.stop();
    }
    await server.down();
  });
});

describe('the boot is refused', () => {
  const url = 'https://id.example/introspect';
  it.each<[string, Record<string, string>, RegExp]>([
    ['plain http', { VALIDATOR_INTROSPECTION_URL: 'http://id.example/introspect' }, /^VALIDATOR_INTROSPECTION_URL must be https/],
    ['no URL', { VALIDATOR_INTROSPECTION_URL: 'introspect' }, /^VALIDATOR_INTROSPECTION_URL must be an https:/],
    ['a client without a URL', { VALIDATOR_INTROSPECTION_CLIENT_FILE: 'x' }, /^VALIDATOR_INTROSPECTION_CLIENT_FILE needs VALIDATOR_INTROSPECTION_URL$/],
    ['a file that is not there', { VALIDATOR_INTROSPECTION_URL: url, VALIDATOR_INTROSPECTION_CLIENT_FILE: 'nowhere.json' }, /^VALIDATOR_INTROSPECTION_CLIENT_FILE: nowhere\.json: cannot be read \(ENOENT\)$/],
    ['JWTs without a URL', { VALIDATOR_INTROSPECTION_TOKENS: 'all' }, /^VALIDATOR_INTROSPECTION_TOKENS=all needs VALIDATOR_INTROSPECTION_URL$/],
    ['JWTs of nobody', { VALIDATOR_INTROSPECTION_URL: url, VALIDATOR_INTROSPECTION_TOKENS: 'all' }, /^VALIDATOR_INTROSPECTION_TOKENS=all asks about JWTs of issuers other than SIGNER_ISSUER/],
  ])('for %s', async (_what, env, line) => {
    const { lines } = await refuseInHost({ SIGNER_ALG: 'ES256', SIGNER_JWK_LOCAL_PATH: ours, ...env });
    expect(lines).toEqual([expect.stringMatching(line)]);
  }); // prettier-ignore

  it('in production for a client that others can read', async () => {
    const file = writeClient(INTROSPECTION_CLIENT, 0o644);
    const { lines, output } = await refuseInHost({
      SIGNER_ALG: 'ES256',
      SIGNER_JWK_LOCAL_PATH: ours,
      NODE_ENV: 'production',
      WORKERS: '1',
      BACKEND_HOST: 'http://127.0.0.1:1',
      PUBLIC_URL: OWN,
      VALIDATOR_AUDIENCE: 'api',
      VALIDATOR_INTROSPECTION_URL: url,
      VALIDATOR_INTROSPECTION_CLIENT_FILE: file,
    });
    expect(lines.join('\n')).toMatch(/^VALIDATOR_INTROSPECTION_CLIENT_FILE: .*chmod 600/m);
    expect(output).not.toContain(INTROSPECTION_CLIENT.client_secret);
  });
});
