import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

/** Compared with where there is no secret, so that an unknown client takes as long as a known one. */
const NOBODY = randomBytes(32);

/** A fresh secret of 256 bits, in base64url. */
export const newClientSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** What is kept of a secret: its SHA-256 in base64url. A secret of 256 random bits needs no slow hash. */
export const clientSecretHash = (secret: string): string => hash('sha256', secret, 'base64url');

/**
 * True when `secret` is the one that was kept, in a time that does not depend on either.
 *
 * @param kept SHA-256 of the client's secret; `undefined` for a client that has none, or does not exist
 */
export function isClientSecret(kept: Buffer | undefined, secret: string): boolean {
  const isEqual = timingSafeEqual(kept ?? NOBODY, hash('sha256', secret, 'buffer'));
  return isEqual && kept !== undefined;
}
