import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

/** Compared with if there is no secret, so that the check of an unknown client takes as long as that of a known one. */
const DUMMY_HASH = randomBytes(32);

/** Generates a secret of 256 bits, in base64url. */
export const newClientSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** Returns the stored form of a secret: its SHA-256 in base64url. 256 random bits need no slow hash. */
export const clientSecretHash = (secret: string): string => hash('sha256', secret, 'base64url');

/**
 * True if `secret` is the stored one. The time of the comparison does not depend on either.
 *
 * @param kept SHA-256 of the client's secret; `undefined` for a client that has no secret, or does not exist
 */
export function isClientSecret(kept: Buffer | undefined, secret: string): boolean {
  const isEqual = timingSafeEqual(kept ?? DUMMY_HASH, hash('sha256', secret, 'buffer'));
  return isEqual && kept !== undefined;
}
