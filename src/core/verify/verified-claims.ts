/**
 * Claims of a verified token (RFC 7519 section 4.1), with the team's own claims as `Claims`.
 * A number that a double cannot hold is a `JSON.rawJSON` value: it keeps its digits wherever it is
 * serialized.
 */
export type VerifiedClaims<Claims extends object = object> = {
  /** One of the accepted issuers. */
  readonly iss: string;
  /** Recipients. Always present if `audienceClaim` is `aud` and the audience is checked. */
  readonly aud?: string | readonly string[];
  /** Seconds since 1970; in the future, give or take the leeway. */
  readonly exp: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly sub?: string;
  readonly [claim: string]: unknown;
} & Readonly<Claims>;
