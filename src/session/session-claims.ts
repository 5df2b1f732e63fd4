import { randomUUID } from 'node:crypto';
import { claimText } from '../core/claims/index.js';
import { isRefreshField, SigningError, type ClaimSet } from '../core/sign/index.js';

/** What the tokens of one login have in common. */
export interface Session {
  /** `sid` claim (OpenID Connect): the value as it stands in the tokens. */
  sid: unknown;
  /** `auth_time` claim (OpenID Connect): the login, in seconds since 1970. */
  authTime: unknown;
}

type ClaimSets = ReadonlyMap<string, ClaimSet>;

/**
 * Makes the tokens of a login one session: the same `sid` in all of them (the backend's, if it sends one),
 * and `auth_time` in the refresh token, which its successors inherit.
 *
 * @param now seconds since 1970
 */
export function beginSession(claimSets: ClaimSets, now: number): (field: string) => ClaimSet {
  const sid = [...claimSets.values()].find(({ sid: own }) => claimText(own) !== undefined)?.sid;
  return withClaims(claimSets, { sid: sid ?? randomUUID(), authTime: now });
}

/**
 * The same for the tokens that follow a refresh.
 *
 * @throws SigningError `sign_target_invalid` when the backend names another session: its tokens
 * would not be revoked with this one
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

/** Adds what is absent; what the backend sent stays as it is. */
function withClaims(claimSets: ClaimSets, { sid, authTime }: Session): (field: string) => ClaimSet {
  return (field) => {
    const claims: Record<string, unknown> = { ...claimSets.get(field) };
    claims.sid ??= sid;
    if (isRefreshField(field)) claims.auth_time ??= authTime;
    return claims;
  };
}
