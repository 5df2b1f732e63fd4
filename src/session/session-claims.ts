import { randomUUID } from 'node:crypto';
import { claimText } from '../core/claims/index.js';
import { toNumber } from '../core/json/index.js';
import { isRefreshField, SigningError, type ClaimSet } from '../core/sign/index.js';

/** What the tokens of one login have in common. */
export interface Session {
  /** `sid` claim (OpenID Connect): the value as it stands in the tokens. */
  sid: unknown;
  /** `auth_time` claim (OpenID Connect): the login, in seconds since 1970. */
  authTime: unknown;
  /** `scope` claim: what was granted with the login; `undefined` if the login did not say. */
  scope?: unknown;
}

type ClaimSets = ReadonlyMap<string, ClaimSet>;

/**
 * Makes the tokens of a login one session: the same `sid` in all of them (the backend's, if it sends one). The refresh
 * token gets `auth_time` and the granted `scope`, which its successors inherit.
 *
 * @param now seconds since 1970
 * @param scope `scope` of the answer (RFC 6749 section 5.1), used where no claims contain one
 */
export function beginSession(
  claimSets: ClaimSets,
  now: number,
  scope?: unknown,
): (field: string) => ClaimSet {
  const sid = [...claimSets.values()].find(({ sid: own }) => claimText(own) !== undefined)?.sid;
  return withClaims(claimSets, {
    sid: sid ?? randomUUID(),
    authTime: now,
    scope: grantedScope(claimSets) ?? scope,
  });
}

/**
 * Makes the tokens of a refresh part of its session. The refresh token keeps the earlier `auth_time` (OpenID Connect
 * Core section 12.2), so that a refresh does not make the session younger.
 *
 * @throws SigningError `sign_target_invalid` when the backend names another session: its tokens would not be revoked
 * with this one
 */
export function continueSession(
  claimSets: ClaimSets,
  session: Session,
): (field: string) => ClaimSet {
  for (const [field, { sid }] of claimSets)
    if (sid !== undefined && claimText(sid) !== claimText(session.sid))
      throw new SigningError(
        'sign_target_invalid',
        `${field}.sid is not the sid of the session that is refreshed`,
      );
  return withClaims(claimSets, session);
}

const isLater = (time: unknown, other: unknown): boolean =>
  (toNumber(time) ?? 0) > (toNumber(other) ?? Infinity);

/** The `scope` of the first token that has one and is not a refresh token. */
const grantedScope = (claimSets: ClaimSets): unknown =>
  [...claimSets].find(([field, { scope }]) => !isRefreshField(field) && scope !== undefined)?.[1]
    .scope;

/**
 * Adds absent claims. Claims of the backend stay as they are, except for an `auth_time` after the login: with it the
 * session would end later, or never.
 */
function withClaims(
  claimSets: ClaimSets,
  { sid, authTime, scope }: Session,
): (field: string) => ClaimSet {
  return (field) => {
    const claims: Record<string, unknown> = { ...claimSets.get(field) };
    claims.sid ??= sid;
    if (!isRefreshField(field)) return claims;
    claims.auth_time ??= authTime;
    // The end of the session is computed from `auth_time`.
    if (toNumber(claims.auth_time) === undefined)
      throw new SigningError('claims_invalid', `${field}.auth_time is not a number`);
    if (isLater(claims.auth_time, authTime)) claims.auth_time = authTime;
    if (scope !== undefined) claims.scope ??= scope;
    return claims;
  };
}
