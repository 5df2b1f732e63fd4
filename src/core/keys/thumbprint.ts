import { createHash, type JsonWebKey } from 'node:crypto';

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  AKP: ['alg', 'kty', 'pub'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
  oct: ['k', 'kty'],
};

/**
 * Returns the SHA-256 thumbprint of a key in base64url (RFC 7638 section 3, RFC 8037 section 2). It is the same for
 * the private and the public key.
 */
export function thumbprint(jwk: JsonWebKey): string {
  const members = (REQUIRED[jwk.kty ?? ''] ?? []).map((name) => [
    name,
    (jwk as Record<string, unknown>)[name],
  ]);
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}
