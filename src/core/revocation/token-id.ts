import { hash } from 'node:crypto';
import { claimText } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import type { RevocationSubject } from './revocation.js';

/** What of a token decides whether it is revoked. */
export interface TokenNames {
  /**
   * The issuer, where it is another one than our own: a `sub` of one issuer means nothing at another.
   * `undefined` for own tokens.
   */
  readonly issuer?: string;
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

/** A name as it is revoked by: of another issuer, with the issuer before it, so that no two can be one. */
export const qualifiedName = (issuer: string | undefined, name: string): string =>
  issuer === undefined ? name : `${JSON.stringify(issuer.toWellFormed())} ${name}`;

/** The name that a claim of a token gives it, as it is revoked by. */
export const nameOf = (
  { issuer, claims }: TokenNames,
  claim: 'sub' | 'sid',
): string | undefined => {
  const name = claimName(claims[claim]);
  return name === undefined ? undefined : qualifiedName(issuer, name);
};

/**
 * The `jti` of a token, or what stands for it where it has none: a digest of what was signed.
 * The signature is left out of it, since some algorithms have several for one and the same token.
 */
export const tokenId = ({ issuer, claims, signingInput }: TokenNames): string =>
  qualifiedName(
    issuer,
    claimName(claims.jti) ?? `sha256:${hash('sha256', signingInput, 'base64url')}`,
  );

/** Everything a token can be revoked by. */
export const revocationSubject = (token: TokenNames): RevocationSubject => ({
  jti: tokenId(token),
  sub: nameOf(token, 'sub'),
  sid: nameOf(token, 'sid'),
  kid: token.kid === undefined ? undefined : qualifiedName(token.issuer, token.kid),
  iat: toNumber(token.claims.iat),
});
