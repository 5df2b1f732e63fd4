/** Normalizes a `typ` header for comparison (RFC 7515 section 4.1.9). */
export const normalizeType = (typ: string): string =>
  typ.toLowerCase().replace(/^application\/(?=[^/]*$)/, '');

/** `typ` of access tokens with the profile of RFC 9068, normalized. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** `typ` of tokens for one backend call (draft-ietf-oauth-transaction-tokens), normalized. */
export const HOP_TOKEN_TYPE = 'txntoken+jwt';

/** Header that carries a token for a backend call. */
export const HOP_TOKEN_HEADER = 'Txn-Token';

/** Required claims of an `at+jwt` access token (RFC 9068 section 2.2). */
export const ACCESS_TOKEN_CLAIMS = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'] as const;

/** Kinds of tokens that are not meant for an API. */
export type OtherKind = 'an ID token' | 'a refresh token' | 'a logout token';

/**
 * Claims by which issuers mark tokens that are not meant for an API, with their values: Keycloak (`typ`), Amazon
 * Cognito and Ory Hydra (`token_use`), Simple JWT (`token_type`), Flask-JWT-Extended (`type`). There is no other sure
 * sign: access tokens have a `nonce` (Keycloak, Dex), an `at_hash` (Dex), and the same `typ` header as ID tokens.
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

/** Returns the kind of a token that is not meant for an API, and the claim that says so; `undefined` for others. */
export function otherKind(
  claims: Readonly<Record<string, unknown>>,
): { claim: string; kind: OtherKind } | undefined {
  for (const [claim, kinds] of OTHER_KINDS) {
    const kind = Object.hasOwn(claims, claim) ? kinds.get(claims[claim]) : undefined;
    if (kind !== undefined) return { claim, kind };
  }
  return undefined;
}

/** Returns the claims of the profile that are missing in `claims`; `null` counts as missing. */
export const missingProfileClaims = (claims: Readonly<Record<string, unknown>>): string[] =>
  ACCESS_TOKEN_CLAIMS.filter(
    (name) => !Object.hasOwn(claims, name) || claims[name] === null || claims[name] === undefined,
  );
