/** The claims (and the key id) by which tokens can be revoked. */
export const REVOCATION_KINDS = ['jti', 'sub', 'sid', 'kid'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** A revocation: all tokens that it covers are refused. */
export interface Revocation {
  /** UUID, by which the revocation can be undone. */
  readonly id: string;
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. For `jti` also the digest of one token; see `tokenDigest`. */
  readonly value: string;
  /**
   * Seconds since 1970. The revocation covers only tokens with an earlier `iat` or without one, and for `sub` also the
   * tokens of a session that began earlier. `null`: all tokens.
   */
  readonly before: number | null;
  /** For human readers; at most 500 characters. */
  readonly reason?: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970: all covered tokens have expired, so the revocation is deleted. `null`: it is kept. */
  readonly expiresAt: number | null;
}

/** A name by which tokens can be revoked. */
export type RevocationName = Pick<Revocation, 'kind' | 'value'>;

/** When a token was issued, in seconds since 1970; `undefined` if the token has no such claim. */
export interface TokenAge {
  readonly iat?: number;
  /** When the session of the token began: the earlier of `auth_time` and `iat`. Default: `iat`. */
  readonly since?: number;
}

/** The names and the age of a token, by which its revocations are looked up. */
export interface RevocationSubject extends TokenAge {
  readonly names: readonly RevocationName[];
}

/**
 * Returns the time that is compared with `before` of a revocation: `iat`, and for `sub` the beginning of the session,
 * since an old session remains old when it gets a new token.
 */
export const comparedTime = (
  { iat, since = iat }: TokenAge,
  kind: RevocationKind,
): number | undefined => (kind === 'sub' ? since : iat);

/** True if a revocation covers a token whose name it has. @param time see {@link comparedTime} */
export const covers = ({ before }: Pick<Revocation, 'before'>, time: number | undefined): boolean =>
  before === null || time === undefined || time < before;

/** The largest leeway for clock differences that a validator can be given, in seconds. */
export const LONGEST_LEEWAY = 3600;

/** The end of the year 9999 in seconds since 1970. Later times count as never. */
export const LATEST_EXPIRY = 253_402_300_799;

/**
 * Returns when a token has expired for every validator, whatever its leeway. Until then the store has to remember
 * that the token was revoked or used.
 *
 * @param exp seconds since 1970; `undefined` (no `exp`, or none that is a number) counts as never
 * @returns whole seconds since 1970
 */
export const deadFrom = (exp: number | undefined): number =>
  Math.min(LATEST_EXPIRY, Math.ceil(exp ?? LATEST_EXPIRY) + LONGEST_LEEWAY);
