/** The claims (and the key id) by which tokens can be revoked. */
export const REVOCATION_KINDS = ['jti', 'sub', 'sid', 'kid'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** One entry: all tokens that it names are refused from now on. */
export interface Revocation {
  /** A UUID; undoing names it. */
  readonly id: string;
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. */
  readonly value: string;
  /** Seconds since 1970: only tokens with an earlier `iat` are meant, and those without one. `null`: all. */
  readonly before: number | null;
  /** For people; at most 500 characters. */
  readonly reason?: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970: no token that is meant can live longer, so the entry is forgotten. `null`: never. */
  readonly expiresAt: number | null;
}

/** What of a token can be revoked; values as text (see `claimText`). */
export interface RevocationSubject {
  readonly jti?: string;
  readonly sub?: string;
  readonly sid?: string;
  readonly kid?: string;
  /** Seconds since 1970. */
  readonly iat?: number;
}

/** Whether a revocation that names a token means it, by the token's `iat`. */
export const isMeant = ({ before }: Pick<Revocation, 'before'>, iat: number | undefined): boolean =>
  before === null || iat === undefined || iat < before;
