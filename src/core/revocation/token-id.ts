import { hash } from 'node:crypto';
import { claimText } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import type { RevocationSubject } from './revocation.js';

/** What of a token decides whether it is revoked. */
export interface TokenNames {
  /** Id of the key that verified it. */
  readonly kid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Header and payload as they were sent. */
  readonly signingInput: string;
}

/**
 * A claim as a name to revoke by. A lone surrogate becomes U+FFFD, as it would in every store: JSON can
 * spell one, UTF-8 cannot.
 */
export const claimName = (value: unknown): string | undefined => claimText(value)?.toWellFormed();

/**
 * The `jti` of a token, or what stands for it where it has none: a digest of what was signed.
 * The signature is left out of it, since some algorithms have several for one and the same token.
 */
export const tokenId = ({ claims, signingInput }: TokenNames): string =>
  claimName(claims.jti) ?? `sha256:${hash('sha256', signingInput, 'base64url')}`;

/** Everything a token can be revoked by. */
export const revocationSubject = (token: TokenNames): RevocationSubject => ({
  jti: tokenId(token),
  sub: claimName(token.claims.sub),
  sid: claimName(token.claims.sid),
  kid: token.kid,
  iat: toNumber(token.claims.iat),
});
