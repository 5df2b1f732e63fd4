import { randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { createDpopClient, type DpopClient } from './helpers/sessions/dpop.js';
import { freePort } from './helpers/run/free-port.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { call, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { custom, pairOf, postForm, verdictOf } from './helpers/sessions/sessions.js';

/** DPoP at the token endpoint (RFC 9449 section 5). */
const CLAIMS = { sub: 'u1', aud: AUDIENCE, roles: ['role_a'] };
const ANSWER = { access_token: CLAIMS, refresh_token: { sub: 'u1', aud: AUDIENCE } };

let jwk: JWK;
let backend: Backend;
let client: DpopClient;
let other: DpopClient;
let env: Record<string, string>;
beforeAll(async () => {
  jwk = await generateJwk('ES256', 'k1');
  [client, other] = [await createDpopClient(), await createDpopClient('EdDSA')];
  backend = await startBackend();
  await backend.answer('/user/1.json', { body: { id: 1 } });
  env = {
    BACKEND_HOST: backend.url,
    BACKEND_INPUT_HEADERS: 'dpop,x-kept',
    SIGNER_ALG: 'ES256',
    SIGNER_KID: 'k1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    REFRESH_BACKEND_PATH: '/refresh.json',
  };
});
afterAll(() => backend.stop());
const answers = async (body: unknown): Promise<void> => {
  await backend.answer('/token.json', { body });
  await backend.answer('/refresh.json', { body });
};

/** A proof for `POST <url>/token`; there is no access token, so no `ath` (RFC 9449 section 4.2). */
const proofFor = (url: string, by = client, changes: object = {}): Promise<string> =>
  by.prove('', `${url}/token`, 'POST', { ath: undefined, ...changes });

interface Request {
  /** `undefined`: none. */
  by?: DpopClient;
  changes?: object;
  refresh?: string;
  headers?: Record<string, string>;
}
async function ask(url: string, { by, changes, refresh, headers = {} }: Request): Promise<Answer> {
  const proof: Record<string, string> =
    by === undefined ? {} : { dpop: await proofFor(url, by, changes) };
  const form: Record<string, string> =
    refresh === undefined
      ? { grant_type: 'password', username: 'a', password: 'b' }
      : { grant_type: 'refresh_token', refresh_token: refresh };
  return postForm(`${url}/token`, form, { ...proof, ...headers });
}
const cnfOf = (token: string): unknown => part(token, 1).cnf;

describe('POST /token', () => {
  let gateway: HostedGateway;
  beforeAll(async () => {
    gateway = await hostGateway(env);
    await answers(ANSWER);
  });
  afterAll(() => gateway?.stop());

  it('RFC 9449 section 5: a proof binds both tokens to its key, and token_type is DPoP', async () => {
    const answer = await ask(gateway.url, { by: client });
    expect([answer.status, answer.json.token_type]).toEqual([200, 'DPoP']);
    const { access, refresh } = pairOf(answer);
    expect([cnfOf(access), cnfOf(refresh)]).toEqual([client.cnf, client.cnf]);
    const route = `${gateway.url}/private/custom`;
    expect(verdictOf(await call(route, { headers: await client.headers(access, route) }))).toBe(
      '200',
    );
    expect(await custom(gateway.url, access)).toBe('401 dpop_scheme_needed');
    const stolen = await other.headers(access, route);
    expect(verdictOf(await call(route, { headers: stolen }))).toBe('401 dpop_key_mismatch');
  });

  it('RFC 9449 section 5: without a proof there are bearer tokens', async () => {
    const answer = await ask(gateway.url, {});
    expect(answer.json.token_type).toBe('Bearer');
    expect(cnfOf(pairOf(answer).access)).toBeUndefined();
    expect(answer.headers.get('dpop-nonce')).toBeNull();
  });

  it('RFC 9449 section 5: DPoP is what the answer says, whatever the backend says', async () => {
    await answers({ ...ANSWER, token_type: 'Bearer' });
    expect((await ask(gateway.url, { by: client })).json.token_type).toBe('DPoP');
    await answers(ANSWER);
  });

  it.each<[string, () => object]>([
    ['no htu of another endpoint', () => ({ htu: `${gateway.url}/token/revoke` })],
    ['no htu of another host', () => ({ htu: 'https://evil.example/token' })],
    ['no htm of another method', () => ({ htm: 'GET' })],
  ])('RFC 9449 section 4.3: %s', async (_, changes) => {
    const answer = await ask(gateway.url, { by: client, changes: changes() });
    expectError(answer, 400, 'dpop_proof_mismatch', 'invalid_dpop_proof');
  });

  it.each<[string, object, string]>([
    ['an iat of long ago', { iat: 1 }, 'dpop_proof_expired'],
    ['an iat of the future', { iat: 9_999_999_999 }, 'dpop_proof_expired'],
    ['no jti', { jti: undefined }, 'dpop_proof_invalid'],
    ['a text for iat', { iat: 'now' }, 'dpop_proof_invalid'],
  ])('RFC 9449 section 4.3: %s: 400 invalid_dpop_proof', async (_, changes, code) => {
    const seen = backend.seen.length;
    const answer = await ask(gateway.url, { by: client, changes });
    expectError(answer, 400, code, 'invalid_dpop_proof');
    expect(backend.seen).toHaveLength(seen);
  });

  it.each(['', 'x', 'a.b.c'])('RFC 9449 section 4.3: %j is no proof', async (dpop) => {
    const answer = await ask(gateway.url, { headers: { dpop } });
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_dpop_proof']);
  });

  it('RFC 9449 section 4.3: there is one header DPoP at most', async () => {
    const proofs = await Promise.all([proofFor(gateway.url), proofFor(gateway.url)]);
    const headers = new Headers(proofs.map((proof): [string, string] => ['dpop', proof]));
    const answer = await call(`${gateway.url}/token`, { method: 'POST', headers });
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_dpop_proof']);
  });

  it('RFC 9449 section 11.1: a proof counts once', async () => {
    const headers = { dpop: await proofFor(gateway.url) };
    const verdicts = await Promise.all(
      Array.from({ length: 8 }, async () => verdictOf(await ask(gateway.url, { headers }))),
    );
    expect(verdicts.filter((verdict) => verdict === '200')).toHaveLength(1);
    expect(new Set(verdicts)).toEqual(new Set(['200', '400 dpop_proof_reused']));
  });

  it('keeps the proof from the backend', async () => {
    await ask(gateway.url, { by: client, headers: { 'x-kept': 'yes' } });
    expect(backend.seen.at(-1)?.headers).toMatchObject({ 'x-kept': 'yes' });
    expect(backend.seen.at(-1)?.headers).not.toHaveProperty('dpop');
  });

  const bindsBy = async (cnf: unknown): Promise<Answer> => {
    await answers({ access_token: { ...CLAIMS, cnf } });
    const answer = await ask(gateway.url, { by: client });
    await answers(ANSWER);
    return answer;
  };

  it('cnf of the backend may be the same key, or a certificate beside it (RFC 8705)', async () => {
    for (const cnf of [client.cnf, { 'x5t#S256': 'c'.repeat(43) }])
      expect(cnfOf(pairOf(await bindsBy(cnf)).access)).toEqual({ ...cnf, ...client.cnf });
  });

  it.each<[string, () => unknown]>([
    ['another key', () => other.cnf],
    ['a key in another form', () => ({ jwk: client.jwk })],
    ['the key and something else', () => ({ ...client.cnf, kid: 'k' })],
    ['null', () => null],
    ['a string', () => client.cnf.jkt],
  ])('cnf of the backend must not be %s', async (_, cnf) => {
    const answer = await bindsBy(cnf());
    expectError(answer, 502, 'claims_invalid', 'server_error');
    expect(answer.json.error_description).toContain('access_token.cnf');
    expect(answer.text).not.toContain('eyJ');
  });
});

describe('grant_type=refresh_token', () => {
  let gateway: HostedGateway;
  beforeAll(async () => {
    gateway = await hostGateway({ ...env, REFRESH_RETRY_WINDOW: '10' });
    await answers(ANSWER);
  });
  afterAll(() => gateway?.stop());
  const bound = async (): Promise<string> => pairOf(await ask(gateway.url, { by: client })).refresh;

  it('RFC 9449 section 5: a bound refresh token works with a proof of its key, and binds again', async () => {
    const answer = await ask(gateway.url, { by: client, refresh: await bound() });
    expect([answer.status, answer.json.token_type]).toEqual([200, 'DPoP']);
    const { access, refresh } = pairOf(answer);
    expect([cnfOf(access), cnfOf(refresh)]).toEqual([client.cnf, client.cnf]);
    expect(verdictOf(await ask(gateway.url, { by: client, refresh }))).toBe('200');
  });

  it('RFC 9449 section 5: it is of no use to a thief, and goes on working for its client', async () => {
    const refresh = await bound();
    const seen = backend.seen.length;
    expectError(
      await ask(gateway.url, { refresh }),
      400,
      'dpop_proof_missing',
      'invalid_dpop_proof',
    );
    expectError(
      await ask(gateway.url, { refresh, by: other }),
      400,
      'dpop_key_mismatch',
      'invalid_dpop_proof',
    );
    expect(backend.seen).toHaveLength(seen);
    expect(verdictOf(await ask(gateway.url, { refresh, by: client }))).toBe('200');
    // Used up, it ends no session in the hands of somebody without the key.
    expect(verdictOf(await ask(gateway.url, { refresh }))).toBe('400 dpop_proof_missing');
    expect(verdictOf(await ask(gateway.url, { refresh, by: other }))).toBe('400 dpop_key_mismatch');
  });

  it('a repeated request gets the same answer, with another proof of the same key', async () => {
    const refresh = await bound();
    const [first, again] = [
      await ask(gateway.url, { refresh, by: client }),
      await ask(gateway.url, { refresh, by: client }),
    ];
    expect([again.status, again.json.token_type]).toEqual([200, 'DPoP']);
    expect(pairOf(again)).toEqual(pairOf(first));
  });

  it('a token that is not bound becomes bound with the first proof', async () => {
    const free = pairOf(await ask(gateway.url, {})).refresh;
    const { refresh } = pairOf(await ask(gateway.url, { refresh: free, by: client }));
    expect(cnfOf(refresh)).toEqual(client.cnf);
    expect(verdictOf(await ask(gateway.url, { refresh }))).toBe('400 dpop_proof_missing');
  });

  it('a token that is bound to a certificate needs that, and no proof makes up for it', async () => {
    const cnf = { 'x5t#S256': 'c'.repeat(43), ...client.cnf };
    const refresh = await tokenOf(jwk, { cnf }, { typ: 'rt+jwt' });
    expect(verdictOf(await ask(gateway.url, { refresh, by: client }))).toBe(
      '400 refresh_token_invalid',
    );
  });
});

describe('DPOP', () => {
  it('required: there is no token without a proof, and none at refresh', async () => {
    const gateway = await hostGateway({ ...env, DPOP: 'required', ERRORS_EXPLAIN: 'false' });
    await answers(ANSWER);
    const seen = backend.seen.length;
    expectError(await ask(gateway.url, {}), 400, 'dpop_proof_missing', 'invalid_dpop_proof');
    expect(backend.seen).toHaveLength(seen);
    const { refresh } = pairOf(await ask(gateway.url, { by: client }));
    expect(verdictOf(await ask(gateway.url, { refresh }))).toBe('400 dpop_proof_missing');
    expect(verdictOf(await ask(gateway.url, { refresh, by: client }))).toBe('200');
    await expect
      .poll(() => gateway.log().find(({ code }) => code === 'dpop_proof_missing'))
      .toMatchObject({ status: 400 });
    expect(await gateway.metrics()).toContain('code="dpop_proof_missing"');
    await gateway.stop();
  });

  it('off: the header means nothing, and a bound refresh token is refused', async () => {
    const gateway = await hostGateway({ ...env, DPOP: 'off' });
    await answers(ANSWER);
    const answer = await ask(gateway.url, { by: client });
    expect(answer.json.token_type).toBe('Bearer');
    expect(cnfOf(pairOf(answer).access)).toBeUndefined();
    const refresh = await tokenOf(jwk, { cnf: client.cnf }, { typ: 'rt+jwt' });
    expect(verdictOf(await ask(gateway.url, { refresh, by: client }))).toBe(
      '400 refresh_token_invalid',
    );
    const { json } = await call(`${gateway.url}/.well-known/oauth-authorization-server`);
    expect(json).not.toHaveProperty('dpop_signing_alg_values_supported');
    await gateway.stop();
  });

  it('RFC 9449 section 8: DPOP_NONCE asks for a nonce, and hands it out', async () => {
    const gateway = await hostGateway({ ...env, DPOP_NONCE: 'true' });
    await answers(ANSWER);
    const refused = await ask(gateway.url, { by: client });
    expectError(refused, 400, 'dpop_nonce_needed', 'use_dpop_nonce');
    const nonce = refused.headers.get('dpop-nonce');
    expect(nonce).toMatch(/^[\w-]+$/);
    // Its clock does not matter then.
    const answer = await ask(gateway.url, { by: client, changes: { nonce, iat: 1 } });
    expect([answer.status, answer.headers.get('dpop-nonce')]).toEqual([200, nonce]);
    const wrong = await ask(gateway.url, { by: client, changes: { nonce: randomUUID() } });
    expect(verdictOf(wrong)).toBe('400 dpop_nonce_needed');
    await gateway.stop();
  });

  it('RFC 9449 section 4.3: htu is the endpoint as clients know it, behind a proxy', async () => {
    const gateway = await hostGateway({ ...env, TRUST_PROXY: 'loopback' });
    await answers(ANSWER);
    const dpop = (): Promise<string> => proofFor('https://gw.example');
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gw.example' };
    expect(
      verdictOf(await ask(gateway.url, { headers: { dpop: await dpop(), ...forwarded } })),
    ).toBe('200');
    expect(verdictOf(await ask(gateway.url, { headers: { dpop: await dpop() } }))).toBe(
      '400 dpop_proof_mismatch',
    );
    await gateway.stop();
    const named = await hostGateway({ ...env, PUBLIC_URL: 'https://gw.example/auth' });
    const below = { dpop: await proofFor('https://gw.example/auth') };
    expect(verdictOf(await ask(named.url, { headers: below }))).toBe('200');
    const strange = { dpop: await dpop(), ...forwarded };
    expect(verdictOf(await ask(named.url, { headers: strange }))).toBe('400 dpop_proof_mismatch');
    await named.stop();
  });
});

describe('clients as they come from npm', () => {
  let issuer: URL;
  let gateway: Gateway;
  beforeAll(async () => {
    const port = String(await freePort());
    issuer = new URL(`http://127.0.0.1:${port}`);
    const names = { SIGNER_ISSUER: issuer.origin, VALIDATOR_ISSUER: issuer.origin };
    gateway = await startGateway({
      ...env,
      ...names,
      PORT: port,
      PUBLIC_URL: issuer.origin,
      DPOP: 'required',
      DPOP_NONCE: 'true',
    });
    await answers(ANSWER);
  });
  afterAll(() => gateway?.stop());
  const route = (): URL => new URL('/private/custom', issuer);

  it('RFC 9449: openid-client discovers, logs in, calls and refreshes, with nonces', async () => {
    const config = await openid.discovery(issuer, 'shop', undefined, openid.None(), {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    expect(config.serverMetadata().dpop_signing_alg_values_supported).toContain('ES256');
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
    const login = { username: 'alice', password: 'wonderland' };
    const first = await openid.genericGrantRequest(config, 'password', login, { DPoP });
    expect(first.token_type).toBe('dpop');
    const second = await openid.refreshTokenGrant(config, first.refresh_token ?? '', undefined, {
      DPoP,
    });
    const answer = await openid.fetchProtectedResource(
      config, second.access_token, route(), 'GET', undefined, undefined, { DPoP },
    ); // prettier-ignore
    expect([answer.status, await answer.json()]).toEqual([200, { id: 1 }]);
    const thief = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
    const stolen = openid.refreshTokenGrant(config, second.refresh_token ?? '', undefined, {
      DPoP: thief,
    });
    await expect(stolen).rejects.toMatchObject({ error: 'invalid_dpop_proof', status: 400 });
  });

  it('RFC 9449 section 5: oauth4webapi takes the answer for what it is', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true } as const;
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const shop = { client_id: 'shop' };
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('EdDSA'));
    const request = async (): Promise<oauth.TokenEndpointResponse> => {
      const response = await oauth.clientCredentialsGrantRequest(
        as,
        shop,
        oauth.None(),
        {},
        { DPoP, ...insecure },
      );
      return oauth.processClientCredentialsResponse(as, shop, response);
    };
    const error = await request().catch((thrown: unknown) => thrown);
    expect(oauth.isDPoPNonceError(error)).toBe(true);
    const { access_token: token, token_type: type } = await request();
    expect(type).toBe('dpop');
    const answer = await oauth.protectedResourceRequest(
      token, 'GET', route(), undefined, undefined, { DPoP, ...insecure },
    ); // prettier-ignore
    expect(answer.status).toBe(200);
  });
});
