// The other direction of interop.spec.ts: tokens signed here, taken by the libraries of others, which get their
// keys from the JWKS route of a running gateway.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createPublicKey, randomBytes, type JsonWebKey, type KeyObject } from 'node:crypto';
import express from 'express';
import { auth, type AuthOptions } from 'express-oauth2-jwt-bearer';
import { createVerifier, type Algorithm } from 'fast-jwt';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import JwksRsa from 'jwks-rsa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../src/core/jws/index.js';
import { generateJwk, importJwk } from '../src/core/keys/index.js';
import { signToken } from '../src/core/sign/index.js';
import { freePort } from './helpers/run/free-port.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { writeKeys } from './helpers/issuers/keys.js';

const AUDIENCE = 'https://api.example.com';
const TYPES = ['JWT', 'at+jwt'] as const;
type TokenType = (typeof TYPES)[number];

const SECRETS = JWS_ALGORITHMS.filter((alg) => alg.startsWith('HS'));
/** `RS256`, `RS384`, … `ES512` */
const CLASSIC = JWS_ALGORITHMS.filter((alg) => /^[RPE]S/.test(alg));

const keys = new Map<JwsAlgorithm, JsonWebKey>();
let gateway: Gateway;
let jwksUri: string;
let issuer: string;

beforeAll(async () => {
  for (const alg of JWS_ALGORITHMS)
    keys.set(alg, { ...materialOf(alg), kid: `key-of-${alg}`, alg, use: 'sig' });
  issuer = `http://127.0.0.1:${await freePort()}`;
  gateway = await startGateway({
    PORT: new URL(issuer).port,
    PUBLIC_URL: issuer,
    SIGNER_JWK_LOCAL_PATH: writeKeys([...keys.values()]),
    SIGNER_KID: 'key-of-HS256',
    SIGNER_ISSUER: issuer,
    VALIDATOR_ALG: JWS_ALGORITHMS.join(),
    VALIDATOR_ISSUER: issuer,
    VALIDATOR_AUDIENCE: AUDIENCE,
  });
  jwksUri = `${gateway.url}/.well-known/jwks.json`;
});
afterAll(() => gateway?.stop());

/** Secrets are text, since some libraries take nothing else. */
const materialOf = (alg: JwsAlgorithm): JsonWebKey =>
  SECRETS.includes(alg)
    ? { kty: 'oct', k: Buffer.from(randomBytes(48).toString('base64url')).toString('base64url') }
    : generateJwk(alg, 2048);

const jwkOf = (alg: JwsAlgorithm): JsonWebKey => keys.get(alg) ?? {};
const secretOf = (alg: JwsAlgorithm): Buffer => Buffer.from(String(jwkOf(alg).k), 'base64url');

async function tokenOf(alg: JwsAlgorithm, typ: TokenType, claims: object = {}): Promise<string> {
  const imported = importJwk(jwkOf(alg));
  if (typeof imported === 'string') throw new Error(imported);
  const now = Math.floor(Date.now() / 1000);
  const registered = { iss: issuer, aud: AUDIENCE, sub: 'u1', jti: 'j1', iat: now, exp: now + 60 };
  return signToken(
    { ...registered, client_id: 'c1', roles: ['role_a'], name: 'Ünï 🔑', ...claims },
    imported.key,
    { alg, kid: imported.key.kid, typ, full: false },
  );
}

/** With another character in the middle of the signature. */
function forged(token: string): string {
  const at = token.lastIndexOf('.') + 40;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

const each = (algorithms: readonly JwsAlgorithm[]): [JwsAlgorithm, TokenType][] =>
  algorithms.flatMap((alg) => TYPES.map((typ): [JwsAlgorithm, TokenType] => [alg, typ]));

it('publishes each key that is not a secret', async () => {
  const { json } = await call(jwksUri);
  expect((json.keys as JsonWebKey[]).map(({ alg }) => alg)).toEqual(
    JWS_ALGORITHMS.filter((alg) => !SECRETS.includes(alg)),
  );
});

describe('the gateway itself', () => {
  it.each(each(JWS_ALGORITHMS))('takes %s, %s', async (alg, typ) => {
    const token = await tokenOf(alg, typ);
    expect((await callWith(`${gateway.url}/private/custom`, token)).status).toBe(200);
    expect((await callWith(`${gateway.url}/private/custom`, forged(token))).status).toBe(401);
  });
});

describe('jose', () => {
  it.each(each(JWS_ALGORITHMS))('takes %s, %s', async (alg, typ) => {
    const options = { issuer, audience: AUDIENCE, typ, algorithms: [alg] };
    const verify = (token: string) =>
      SECRETS.includes(alg)
        ? jwtVerify(token, secretOf(alg), options)
        : jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), options);
    const token = await tokenOf(alg, typ);
    expect((await verify(token)).payload).toMatchObject({ sub: 'u1', name: 'Ünï 🔑' });
    await expect(verify(forged(token))).rejects.toThrow('signature verification failed');
  });
});

/** The published key of an algorithm, as PEM. */
async function pemOf(alg: JwsAlgorithm): Promise<string> {
  const { json } = await call(jwksUri);
  const jwk = (json.keys as JsonWebKey[]).find((key) => key.alg === alg) ?? {};
  const key: KeyObject = createPublicKey({ key: jwk, format: 'jwk' });
  return String(key.export({ type: 'spki', format: 'pem' })).trimEnd();
}

describe('jsonwebtoken', () => {
  const options = (alg: JwsAlgorithm) => ({
    issuer,
    audience: AUDIENCE,
    algorithms: [alg as jsonwebtoken.Algorithm],
  });
  const expectTaken = async (alg: JwsAlgorithm, typ: TokenType, key: string | Buffer) => {
    const token = await tokenOf(alg, typ);
    expect(jsonwebtoken.verify(token, key, options(alg))).toMatchObject({ sub: 'u1' });
    expect(() => jsonwebtoken.verify(forged(token), key, options(alg))).toThrow(
      'invalid signature',
    );
  };
  it.each(each(SECRETS))('takes %s, %s', (alg, typ) => expectTaken(alg, typ, secretOf(alg)));

  it.each(each(CLASSIC))('takes %s, %s, with the key that jwks-rsa finds', async (alg, typ) => {
    const client = JwksRsa({ jwksUri });
    const key = await client.getSigningKey(jwkOf(alg).kid as string);
    expect(key.getPublicKey()).toBe(await pemOf(alg));
    await expectTaken(alg, typ, key.getPublicKey());
  });
});

describe('jwks-rsa', () => {
  it('finds all keys but ML-DSA, which it does not know', async () => {
    const found = await JwksRsa({ jwksUri }).getSigningKeys();
    expect(found.map(({ alg }) => alg)).toEqual([...CLASSIC, 'EdDSA', 'Ed25519']);
    const key = await JwksRsa({ jwksUri }).getSigningKey('key-of-EdDSA');
    expect(key.getPublicKey()).toBe(await pemOf('EdDSA'));
  });

  it('finds none for a kid that is not published', async () => {
    for (const kid of ['key-of-HS256', 'other'])
      await expect(JwksRsa({ jwksUri }).getSigningKey(kid)).rejects.toThrow('Unable to find');
  });
});

describe('fast-jwt', () => {
  const KNOWN = [...SECRETS, ...CLASSIC, 'EdDSA' as const];
  it.each(each(KNOWN))('takes %s, %s', async (alg, typ) => {
    const key = SECRETS.includes(alg) ? secretOf(alg) : await pemOf(alg);
    const verify = createVerifier({
      key,
      algorithms: [alg as Algorithm],
      allowedIss: issuer,
      allowedAud: AUDIENCE,
      checkTyp: typ,
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
    });
    const token = await tokenOf(alg, typ);
    expect(verify(token)).toMatchObject({ sub: 'u1', name: 'Ünï 🔑' });
    expect(() => verify(forged(token))).toThrow('signature');
  });
});

describe('express-oauth2-jwt-bearer', () => {
  const stops: (() => void)[] = [];
  afterAll(() => stops.forEach((stop) => stop()));

  /** Status of a request to an API of its own that it protects. */
  async function api(options: AuthOptions): Promise<(token: string) => Promise<number>> {
    const app = express();
    app.use(auth(options));
    app.get('/', (request, response) => void response.json(request.auth?.payload));
    app.use(((error: { status?: number }, _request, response, _next) => {
      response.status(error.status ?? 500).end();
    }) satisfies express.ErrorRequestHandler);
    const server = app.listen(0, '127.0.0.1');
    stops.push(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return async (token) => (await callWith(`http://127.0.0.1:${port}/`, token)).status;
  }
  const KNOWN = [...CLASSIC, 'EdDSA' as const];

  it.each(each(KNOWN))(
    'takes %s, %s, with the keys of the JWKS route',
    async (tokenSigningAlg, typ) => {
      const status = await api({
        jwksUri,
        issuer,
        audience: AUDIENCE,
        tokenSigningAlg,
        // What it calls strict is RFC 9068.
        strict: typ === 'at+jwt',
      });
      const token = await tokenOf(tokenSigningAlg, typ);
      expect(await status(token)).toBe(200);
      expect(await status(forged(token))).toBe(401);
      expect(await status(await tokenOf(tokenSigningAlg, typ, { aud: 'https://other' }))).toBe(401);
      const plain = await status(await tokenOf(tokenSigningAlg, 'JWT'));
      expect(plain).toBe(typ === 'at+jwt' ? 401 : 200);
    },
  );

  it('finds the keys by the metadata alone', async () => {
    const status = await api({
      issuerBaseURL: issuer,
      audience: AUDIENCE,
      tokenSigningAlg: 'ES256',
      strict: true,
    });
    expect(await status(await tokenOf('ES256', 'at+jwt'))).toBe(200);
    expect(await status(forged(await tokenOf('ES256', 'at+jwt')))).toBe(401);
  });

  it('takes a symmetric token with the secret', async () => {
    const status = await api({
      issuer,
      audience: AUDIENCE,
      tokenSigningAlg: 'HS512',
      secret: secretOf('HS512').toString(),
    });
    expect(await status(await tokenOf('HS512', 'JWT'))).toBe(200);
    expect(await status(forged(await tokenOf('HS512', 'JWT')))).toBe(401);
  });
});
