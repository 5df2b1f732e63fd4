import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith } from './helpers/network/http.js';
import { readiness, tokenOf, verdict } from './helpers/issuers/issuer.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';

const OWN = 'https://gateway.example.com';
let own: JWK, ours: string;
let partners: { issuer: string; key: JWK; server: JwksServer }[] = [];
let gateway: Gateway | undefined;

beforeAll(async () => {
  own = await generateJwk('ES256', 'same');
  ours = writeKeys([own]);
});
afterEach(async () => {
  await gateway?.stop();
  await Promise.all(partners.map(({ server }) => server.down()));
  gateway = undefined;
  partners = [];
});

/** An issuer whose metadata stand where OpenID Connect or where RFC 8414 has them. */
async function startIssuer(metadataPath: string): Promise<(typeof partners)[number]> {
  const key = await generateJwk('ES256', 'same');
  const server = await startJwksServer([]);
  const issuer = new URL(server.url).origin;
  const documents: Record<string, unknown> = {
    [metadataPath]: { issuer, jwks_uri: server.url },
    '/jwks': { keys: [publicHalf(key)] },
  };
  const answer: RequestListener = ({ url = '' }, response) => {
    const document = documents[url];
    response
      .writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(document ?? {}));
  };
  server.serve(answer);
  const partner = { issuer, key, server };
  partners.push(partner);
  return partner;
}

const boot = async (env: Record<string, string>): Promise<string> => {
  gateway = await hostGateway({
    SIGNER_ALG: 'ES256',
    SIGNER_JWK_LOCAL_PATH: ours,
    SIGNER_ISSUER: OWN,
    VALIDATOR_ISSUER: [OWN, ...partners.map(({ issuer }) => issuer)].join(),
    JWK_HTTP_HOSTS: '127.0.0.1',
    ...env,
  });
  return gateway.url;
};
/** `GET /private/custom` with a token of an issuer, signed by a key. */
const ask = async (url: string, iss: string, key: JWK): Promise<string> =>
  verdict(url, await tokenOf(key, { iss }));

describe('VALIDATOR_ISSUER with VALIDATOR_DISCOVERY', () => {
  it('finds the keys of each issuer by its metadata, and they verify no token of another', async () => {
    await startIssuer('/.well-known/openid-configuration');
    await startIssuer('/.well-known/oauth-authorization-server');
    const url = await boot({});
    const all = [{ issuer: OWN, key: own }, ...partners];
    for (const { issuer, key } of all) await expect.poll(() => ask(url, issuer, key)).toBe('200');
    for (const { issuer } of all)
      for (const other of all)
        expect(await ask(url, issuer, other.key), `${issuer} by a key of ${other.issuer}`).toBe(
          issuer === other.issuer ? '200' : '401 signature_invalid',
        );
    expect(await ask(url, 'https://stranger.example', own)).toBe('401 issuer_mismatch');
    expect(gateway?.output()).toMatch(/JWK_HTTP_HOSTS: .*127\.0\.0\.1 may come by plain http/);
  });

  it('lets an issuer that is away at boot be away for its own tokens only', async () => {
    const here = await startIssuer('/.well-known/openid-configuration');
    const away = await startIssuer('/.well-known/openid-configuration');
    await away.server.down();
    const url = await boot({});
    await expect.poll(() => ask(url, here.issuer, here.key)).toBe('200');
    expect(await ask(url, OWN, own)).toBe('200');
    expect(await ask(url, away.issuer, away.key)).toBe('503 keys_unavailable');
    expect(await readiness(url)).toBe(200);
    await away.server.up();
    await expect.poll(() => ask(url, away.issuer, away.key)).toBe('200');
  });

  it('gives the roles of others no power over this gateway', async () => {
    const partner = await startIssuer('/.well-known/openid-configuration');
    const url = await boot({ ADMIN_ROLES: 'boss' });
    await expect.poll(() => ask(url, partner.issuer, partner.key)).toBe('200');
    const revoke = async (iss: string, key: JWK): Promise<number> => {
      const token = await tokenOf(key, { iss, roles: ['boss'] });
      const init = { method: 'POST', body: JSON.stringify({ sub: 'somebody' }) };
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await call(`${url}/admin/revocations`, { ...init, headers })).status;
    };
    expect(await revoke(partner.issuer, partner.key)).toBe(401);
    expect(await revoke(OWN, partner.key)).toBe(401);
    expect(await revoke(OWN, own)).toBe(201);
  });

  it('revokes the subject of one issuer, and not that of the same name of another', async () => {
    const partner = await startIssuer('/.well-known/openid-configuration');
    const url = await boot({ ADMIN_ROLES: 'boss' });
    await expect.poll(() => ask(url, partner.issuer, partner.key)).toBe('200');
    const admin = await tokenOf(own, { iss: OWN, sub: 'root', roles: ['boss'] });
    const [mine, theirs] = await Promise.all([
      tokenOf(own, { iss: OWN }),
      tokenOf(partner.key, { iss: partner.issuer }),
    ]);
    const answer = await call(`${url}/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'u1' }),
    });
    expect(answer.status).toBe(201);
    await expect.poll(() => verdict(url, mine)).toBe('401 token_revoked');
    expect(await verdict(url, theirs)).toBe('200');
  });

  it('takes only algorithms of VALIDATOR_ALG where it is set, and those are asymmetric for others', async () => {
    const partner = await startIssuer('/.well-known/openid-configuration');
    const url = await boot({ VALIDATOR_ALG: 'ES256,HS256,RS256' });
    await expect.poll(() => ask(url, partner.issuer, partner.key)).toBe('200');
    const secret = await generateJwk('HS256', 'same');
    expect(await ask(url, partner.issuer, secret)).toBe('401 algorithm_not_allowed');
    await gateway?.stop();
    const strict = await boot({ VALIDATOR_ALG: 'ES256,ES384' });
    const other = await generateJwk('RS256', 'same');
    expect(await ask(strict, partner.issuer, other)).toBe('401 algorithm_not_allowed');
  });

  it('false: the signing keys are those of all issuers', async () => {
    const partner = await startIssuer('/.well-known/openid-configuration');
    const url = await boot({ VALIDATOR_DISCOVERY: 'false' });
    expect(await ask(url, partner.issuer, own)).toBe('200');
    expect(await ask(url, partner.issuer, partner.key)).toBe('401 signature_invalid');
    expect(partner.server.fetches).toEqual([]);
  });
});

describe('VALIDATOR_JWK_URL with several issuers', () => {
  it('is the key set of those that are not our own', async () => {
    const partner = await startIssuer('/nothing-is-discovered');
    const url = await boot({ VALIDATOR_JWK_URL: partner.server.url });
    await expect.poll(() => ask(url, partner.issuer, partner.key)).toBe('200');
    expect(await ask(url, OWN, own)).toBe('200');
    expect(await ask(url, OWN, partner.key)).toBe('401 signature_invalid');
    expect(await ask(url, partner.issuer, own)).toBe('401 signature_invalid');
    const { json } = await callWith(`${url}/.well-known/jwks.json`, '');
    expect(JSON.stringify(json)).not.toContain(partner.key.x ?? '');
  });
});
