/** A `typ` header in the form it is compared in (RFC 7515 section 4.1.9). */
export const normalizeType = (typ: string): string =>
  typ.toLowerCase().replace(/^application\/(?=[^/]*$)/, '');

/** `typ` of access tokens that keep the profile of RFC 9068, normalized. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** `typ` of tokens for one backend call (draft-ietf-oauth-transaction-tokens), normalized. */
export const HOP_TOKEN_TYPE = 'txntoken+jwt';

/** Header that carries them. */
export const HOP_TOKEN_HEADER = 'Txn-Token';

/** What each of them holds (RFC 9068 section 2.2). */
export const ACCESS_TOKEN_CLAIMS = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'] as const;

/** What a token is that is none for an API. */
export type OtherKind = 'an ID token' | 'a refresh token' | 'a logout token';

/**
 * Claims by which issuers say that a token is none for an API, and how they write it: Keycloak (`typ`), Amazon Cognito
 * and Ory Hydra (`token_use`), Simple JWT (`token_type`), Flask-JWT-Extended (`type`). Nothing else is a certain sign:
 * access tokens have a `nonce` (Keycloak, Dex), an `at_hash` (Dex), and the same `typ` header as ID tokens.
 */
const OTHER_KINDS: readonly (readonly [claim: string, kinds: ReadonlyMap<unknown, OtherKind>])[] = [
  [
    'typ',
    new Map([
      ['ID', 'an ID token'],
      ['Refresh', 'a refresh token'],
      ['Offline', 'a refresh token'],
      ['Logout', 'a logout token'],
    ]),
  ],
  [
    'token_use',
    new Map([
      ['id', 'an ID token'],
      ['refresh', 'a refresh token'],
      ['refresh_token', 'a refresh token'],
    ]),
  ],
  ['token_type', new Map([['refresh', 'a refresh token']])],
  ['type', new Map([['refresh', 'a refresh token']])],
];

/** The claim by which a token says that it is none for an API, and what it is; `undefined` where none does. */
export function otherKind(
  claims: Readonly<Record<string, unknown>>,
): { claim: string; kind: OtherKind } | undefined {
  for (const [claim, kinds] of OTHER_KINDS) {
    const kind = Object.hasOwn(claims, claim) ? kinds.get(claims[claim]) : undefined;
    if (kind !== undefined) return { claim, kind };
  }
  return undefined;
}

/** The claims of the profile that `claims` lacks; `null` counts as absent. */
export const missingProfileClaims = (claims: Readonly<Record<string, unknown>>): string[] =>
  ACCESS_TOKEN_CLAIMS.filter(
    (name) => !Object.hasOwn(claims, name) || claims[name] === null || claims[name] === undefined,
  );
