/** The claims (and the key id) by which tokens can be revoked. */
export const REVOCATION_KINDS = ['jti', 'sub', 'sid', 'kid'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** One entry: all tokens that it names are refused from now on. */
export interface Revocation {
  /** A UUID; undoing names it. */
  readonly id: string;
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. For `jti` also the digest of one token; see `tokenDigest`. */
  readonly value: string;
  /**
   * Seconds since 1970: only tokens with an earlier `iat` are meant, and those without one; for `sub` also those of
   * a session that began earlier. `null`: all.
   */
  readonly before: number | null;
  /** For people; at most 500 characters. */
  readonly reason?: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970: no token that is meant can live longer, so the entry is forgotten. `null`: never. */
  readonly expiresAt: number | null;
}

/** A name that tokens can be revoked by. */
export type RevocationName = Pick<Revocation, 'kind' | 'value'>;

/** When a token is from, in seconds since 1970; `undefined` where it does not say. */
export interface TokenAge {
  readonly iat?: number;
  /** Begin of its session: the earlier one of `auth_time` and `iat`. Left out: as `iat`. */
  readonly since?: number;
}

/** What of a token can be revoked. */
export interface RevocationSubject extends TokenAge {
  readonly names: readonly RevocationName[];
}

/**
 * What `before` of a revocation is compared with. For `sub` the begin of the session: the newest token of an old
 * session is no new session.
 */
export const timeOf = ({ iat, since = iat }: TokenAge, kind: RevocationKind): number | undefined =>
  kind === 'sub' ? since : iat;

/** Whether a revocation that names a token means it. @param time see {@link timeOf} */
export const isMeant = (
  { before }: Pick<Revocation, 'before'>,
  time: number | undefined,
): boolean => before === null || time === undefined || time < before;

/** The largest clock difference, in seconds, that a validator may be told to forgive. */
export const LONGEST_LEEWAY = 3600;

/** The end of the year 9999; later times are as good as never. */
export const LATEST_EXPIRY = 253_402_300_799;

/**
 * When a token that expires at `exp` is dead for every validator, whatever its leeway: until then it has to
 * be remembered that the token is revoked or was used.
 *
 * @param exp seconds since 1970; `undefined` (no `exp`, or none that is a number) counts as never
 * @returns whole seconds since 1970
 */
export const deadFrom = (exp: number | undefined): number =>
  Math.min(LATEST_EXPIRY, Math.ceil(exp ?? LATEST_EXPIRY) + LONGEST_LEEWAY);
