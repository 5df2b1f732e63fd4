import { createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { tempFolder } from '../run/resources.js';

const SECRET_BYTES: Record<string, number> = { HS256: 32, HS384: 48, HS512: 64 };

/** A fresh private or secret JWK for an algorithm. */
export async function generateJwk(alg: string, kid: string): Promise<JWK> {
  const bytes = SECRET_BYTES[alg];
  const jwk =
    bytes === undefined
      ? await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)
      : { kty: 'oct', k: randomBytes(bytes).toString('base64url') };
  return { ...jwk, kid, alg, use: 'sig' };
}

/** The public half of a JWK. */
export function publicHalf({ d, p, q, dp, dq, qi, ...rest }: JWK): JWK {
  void [d, p, q, dp, dq, qi];
  return rest;
}

/** Writes a JWK Set, mode 0600, into a fresh directory. */
export function writeKeys(keys: unknown[], mode = 0o600): string {
  const path = join(tempFolder('keys'), 'keys.json');
  writeFileSync(path, JSON.stringify({ keys }), { mode });
  return path;
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** An HS256 token made by hand: independent of the code under test and of any library. */
export function hs256(secret: string, header: unknown, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const mac = createHmac('sha256', Buffer.from(secret, 'base64url')).update(input);
  return `${input}.${mac.digest('base64url')}`;
}

/** Header or claims of a token, unverified. */
export const part = (token: string, index: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
