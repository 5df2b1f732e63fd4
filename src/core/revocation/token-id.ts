import { hash, randomUUID } from 'node:crypto';
import { claimText } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import type { RevocationName, RevocationSubject, TokenAge } from './revocation.js';

/** The parts of a token that decide whether it is revoked. */
export interface TokenNames {
  /**
   * The issuer of a token of another issuer; `undefined` for own tokens. A `sub` of one issuer has no meaning at
   * another.
   */
  readonly issuer?: string;
  /** Id of the key that verified the token. */
  readonly kid?: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Header and payload as they were sent. */
  readonly signingInput: string;
}

/**
 * Converts a claim to a name for revocations. A lone surrogate becomes U+FFFD, as in every store: JSON can contain
 * one, UTF-8 cannot.
 */
export const claimName = (value: unknown): string | undefined => claimText(value)?.toWellFormed();

/** Prefixes a name of another issuer with that issuer, so that names of two issuers are never equal. */
export const qualifiedName = (issuer: string | undefined, name: string): string =>
  issuer === undefined ? name : `${JSON.stringify(issuer.toWellFormed())} ${name}`;

/** Returns the name for revocations that a claim of the token contains. */
export const nameOf = (
  { issuer, claims }: TokenNames,
  claim: 'jti' | 'sub',
): string | undefined => {
  const name = claimName(claims[claim]);
  return name === undefined ? undefined : qualifiedName(issuer, name);
};

/**
 * Returns a name for exactly one token: a digest of what was signed. A `jti` is unique only if its issuer makes it so.
 * The digest leaves the signature out, since some algorithms allow several signatures of the same token.
 */
export const tokenDigest = ({
  issuer,
  signingInput,
}: Pick<TokenNames, 'issuer' | 'signingInput'>): string =>
  qualifiedName(issuer, `sha256:${hash('sha256', signingInput, 'base64url')}`);

/** A UUID of version 8 (RFC 9562 section 5.8); the first 24 characters are those of {@link newTokenIds}. */
const LINKED_ID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const LINK_LENGTH = 24;

/** Makes `jti` values for the tokens of one answer. They share a prefix, by which {@link sessionName} groups them. */
export function newTokenIds(): () => string {
  const random = randomUUID();
  const link = `${random.slice(0, 14)}8${random.slice(15, LINK_LENGTH)}`;
  return () => link + randomUUID().slice(LINK_LENGTH);
}

/**
 * Returns the name by which the session of a token is revoked: its `sid`. An own token without `sid` is in one session
 * with the tokens of the same answer: their `jti` share a prefix if they were made here (see {@link newTokenIds}), else
 * they have the same `sub` and `iat`.
 *
 * @returns `undefined` for a token without a session
 */
export function sessionName({ issuer, claims }: TokenNames): string | undefined {
  const sid = claimName(claims.sid);
  if (sid !== undefined) return qualifiedName(issuer, sid);
  if (issuer !== undefined) return undefined;
  const { jti, iat, sub } = claims;
  if (typeof jti === 'string' && LINKED_ID.test(jti)) return `login ${jti.slice(0, LINK_LENGTH)}`;
  const [time, user] = [claimText(iat), claimName(sub)];
  return time === undefined || user === undefined ? undefined : `login ${time} ${user}`;
}

/**
 * Returns when a token was issued and when its session began. The `auth_time` of another issuer is ignored: that login
 * may be much older than the session here.
 */
export function tokenAge({ issuer, claims }: Pick<TokenNames, 'issuer' | 'claims'>): TokenAge {
  const iat = toNumber(claims.iat);
  const login = issuer === undefined ? toNumber(claims.auth_time) : undefined;
  return iat !== undefined && login !== undefined && login < iat ? { iat, since: login } : { iat };
}

/** Returns all names by which a token can be revoked, and its age. */
export function revocationSubject(token: TokenNames): RevocationSubject {
  const { issuer, kid } = token;
  const names: readonly { kind: RevocationName['kind']; value: string | undefined }[] = [
    { kind: 'jti', value: tokenDigest(token) },
    { kind: 'jti', value: nameOf(token, 'jti') },
    { kind: 'sub', value: nameOf(token, 'sub') },
    { kind: 'sid', value: sessionName(token) },
    { kind: 'kid', value: kid === undefined ? undefined : qualifiedName(issuer, kid) },
  ];
  return {
    names: names.filter((name): name is RevocationName => name.value !== undefined),
    ...tokenAge(token),
  };
}
