import { hash, randomUUID } from 'node:crypto';
import { claimText } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import type { RevocationName, RevocationSubject, TokenAge } from './revocation.js';

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
  claim: 'jti' | 'sub',
): string | undefined => {
  const name = claimName(claims[claim]);
  return name === undefined ? undefined : qualifiedName(issuer, name);
};

/**
 * Names one token by what it is: a digest of what was signed. A `jti` is unique only if whoever chose it
 * took care. The signature is left out, since some algorithms have several for one and the same token.
 */
export const tokenDigest = ({
  issuer,
  signingInput,
}: Pick<TokenNames, 'issuer' | 'signingInput'>): string =>
  qualifiedName(issuer, `sha256:${hash('sha256', signingInput, 'base64url')}`);

/** A UUID of version 8 (RFC 9562 section 5.8); the first 24 characters are those of {@link newTokenIds}. */
const LINKED_ID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const LINK_LENGTH = 24;

/** Makes `jti` values for the tokens of one answer; they begin alike, which {@link sessionName} knows. */
export function newTokenIds(): () => string {
  const random = randomUUID();
  const link = `${random.slice(0, 14)}8${random.slice(15, LINK_LENGTH)}`;
  return () => link + randomUUID().slice(LINK_LENGTH);
}

/**
 * The session of a token, as it is revoked by: its `sid`. An own token without one belongs together with
 * those of the same answer: their `jti` begin alike where they were made here (see {@link newTokenIds}),
 * else they have `sub` and `iat` in common.
 *
 * @returns `undefined` for a token that belongs to none
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
 * When a token is from. The `auth_time` of another issuer says when somebody logged in there, which may be long
 * before the session here; it does not count.
 */
export function tokenAge({ issuer, claims }: Pick<TokenNames, 'issuer' | 'claims'>): TokenAge {
  const iat = toNumber(claims.iat);
  const login = issuer === undefined ? toNumber(claims.auth_time) : undefined;
  return iat !== undefined && login !== undefined && login < iat ? { iat, since: login } : { iat };
}

/** Everything a token can be revoked by. */
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
