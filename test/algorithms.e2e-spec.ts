import { compactVerify, flattenedVerify, importJWK, type FlattenedJWS, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith } from './helpers/network/http.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';

const PUBLIC_MEMBERS = ['kty', 'kid', 'alg', 'use', 'crv', 'n', 'e', 'x', 'y'];
const KID = 'key-1';

let gateway: Gateway;

/** A gateway that signs with a fresh key; the demo backend brings the claims. */
async function signWith(alg: string, env: Record<string, string> = {}) {
  const jwk = await generateJwk(alg, KID);
  gateway = await hostGateway({
    SIGNER_ALG: alg,
    SIGNER_KID: KID,
    SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]),
    ...env,
  });
  const { url } = gateway;
  const answer = await call(`${url}/token`, { method: 'POST' });
  expect(answer.status).toBe(200);
  const jwks = await call(`${url}/.well-known/jwks.json`);
  const [published] = jwks.json.keys as JWK[];
  // What an independent service would verify with: the published key, or the shared secret.
  const verificationKey = await importJWK(jwk.kty === 'oct' ? jwk : (published as JWK), alg);
  return { url, jwk, answer, jwks, verificationKey };
}

describe.each([
  ['HS256', 'HS384', 'HS512'],
  ['RS256', 'RS384', 'RS512'],
  ['PS256', 'PS384', 'PS512'],
  ['ES256', 'ES384', 'ES512'],
  ['EdDSA'],
])('%s and its siblings', (...algorithms) => {
  it.each(algorithms)('%s: signs, publishes, and accepts what it signed', async (alg) => {
    const { url, jwk, answer, jwks, verificationKey } = await signWith(alg);
    for (const [field, typ] of [
      ['access_token', 'JWT'],
      ['refresh_token', 'rt+jwt'],
    ] as const) {
      const token = String(answer.json[field]);
      // Exactly these members, in this order.
      expect(Object.entries(part(token, 0))).toEqual([
        ['alg', alg],
        ['kid', KID],
        ['typ', typ],
      ]);
      const { payload } = await compactVerify(token, verificationKey, { algorithms: [alg] });
      expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
        iss: 'https://krakend.io',
        sub: '1234567890qwertyuio',
        exp: expect.any(Number) as number,
      });
    }
    const access = String(answer.json.access_token);
    expect((await callWith(`${url}/private/custom`, access)).status).toBe(200);
    const [head, claims, signature = ''] = access.split('.');
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    const refused = await callWith(`${url}/private/custom`, `${head}.${claims}.${flipped}`);
    expect([refused.status, refused.json.code]).toEqual([401, 'signature_invalid']);

    expect([jwks.status, jwks.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    expect(jwks.headers.get('content-type')).toMatch(/^application\/json/);
    const published = Object.entries(jwk).filter(([name]) => PUBLIC_MEMBERS.includes(name));
    expect(jwks.json).toEqual({ keys: jwk.kty === 'oct' ? [] : [Object.fromEntries(published)] });
    const secrets = [jwk.k, jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].filter(Boolean);
    expect(secrets.length).toBeGreaterThan(0);
    for (const secret of secrets) {
      expect(jwks.text).not.toContain(secret);
      expect(gateway.output()).not.toContain(secret);
    }
    const etag = jwks.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const [tags, status] of [
      [etag, 304],
      [`"other", W/${etag}`, 304],
      ['*', 304],
      ['"other"', 200],
    ] as const) {
      const again = await call(`${url}/.well-known/jwks.json`, {
        headers: { 'if-none-match': tags },
      });
      expect([again.status, again.text === '', again.headers.get('etag')]).toEqual([
        status,
        status === 304,
        etag,
      ]);
    }
  });
});

it.each(['HS384', 'RS512', 'PS256', 'ES512', 'EdDSA'])(
  '%s with SIGNER_FULL: flattened JWS JSON, as a string',
  async (alg) => {
    const { answer, verificationKey } = await signWith(alg, { SIGNER_FULL: 'true' });
    const full = answer.json.access_token;
    expect(full).toEqual(expect.any(String));
    const jws = JSON.parse(String(full)) as FlattenedJWS;
    const text = expect.any(String) as string;
    expect(jws).toEqual({ payload: text, protected: text, signature: text });
    const { payload, protectedHeader } = await flattenedVerify(jws, verificationKey);
    expect(protectedHeader).toEqual({ alg, kid: KID, typ: 'JWT' });
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
      sub: '1234567890qwertyuio',
    });
  },
);
