/**
 * Claims of a verified token (RFC 7519 section 4.1), with the team's own claims as `Claims`.
 * A number that a double cannot hold is a `JSON.rawJSON` value: it keeps its digits wherever it is
 * serialized.
 */
export type VerifiedClaims<Claims extends object = object> = {
  /** Issuer; one of the accepted ones. */
  readonly iss: string;
  /** Recipients; always there where `aud` is what the audience is compared with. */
  readonly aud?: string | readonly string[];
  /** Seconds since 1970; not past. */
  readonly exp: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly sub?: string;
  readonly [claim: string]: unknown;
} & Readonly<Claims>;
