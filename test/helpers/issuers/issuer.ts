import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { importJWK, SignJWT, type JWK } from 'jose';
import { vi } from 'vitest';
import { call, callWith } from '../network/http.js';
import type { JwksServer } from './jwks-server.js';

/** Issuer and audience of the gateways of the tests, unless they are told otherwise; those of KrakenD's playground. */
export const ISSUER = 'https://krakend.io';
export const AUDIENCE = 'http://api.example.com';

/** A token that is good for `GET /private/custom`, signed by jose. */
export async function tokenOf(
  jwk: JWK,
  claims: Record<string, unknown> = {},
  header: object = {},
): Promise<string> {
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'u1', roles: ['role_a'], ...claims })
    .setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid, typ: 'JWT', ...header })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importJWK(jwk));
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A well-formed token with a kid that nobody has seen before. */
export const strangeToken = (alg = 'ES256'): string =>
  `${encode({ alg, kid: randomUUID(), typ: 'JWT' })}.${encode({ iss: ISSUER })}.AAAA`;

/** Status and code of `GET /private/custom`. */
export async function verdict(url: string, token: string): Promise<string> {
  const { status, json } = await callWith(`${url}/private/custom`, token);
  return typeof json.code === 'string' ? `${status} ${json.code}` : String(status);
}

/** Status of the readiness probe. */
export const readiness = async (url: string): Promise<number> =>
  (await call(`${url}/health/ready`)).status;

/** Shows the gateway strange tokens until it has fetched once more; the fetch has ended then. */
export const provokeFetch = async (url: string, server: JwksServer): Promise<void> => {
  const before = server.fetches.length;
  await vi.waitFor(
    async () => {
      await verdict(url, strangeToken());
      if (server.fetches.length === before) throw new Error('no fetch yet');
    },
    { timeout: 8000, interval: 50 },
  );
};

/** Takes a request and never answers. */
export const hang: RequestListener = () => undefined;

/** Sends a text as whatever it claims to be. */
export const send =
  (body: string, headers: Record<string, string> = {}, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
