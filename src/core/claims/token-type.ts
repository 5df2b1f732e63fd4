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

/** The claims of the profile that `claims` lacks; `null` counts as absent. */
export const missingProfileClaims = (claims: Readonly<Record<string, unknown>>): string[] =>
  ACCESS_TOKEN_CLAIMS.filter(
    (name) => !Object.hasOwn(claims, name) || claims[name] === null || claims[name] === undefined,
  );
