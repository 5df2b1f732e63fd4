/** Why a token was refused; the codes of the 401 and 400 rows of the error table. */
export type TokenRefusalCode =
  | 'token_missing'
  | 'token_ambiguous'
  | 'token_malformed'
  | 'algorithm_not_allowed'
  | 'key_not_found'
  | 'signature_invalid'
  | 'type_not_allowed'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'issuer_mismatch'
  | 'audience_mismatch'
  | 'claim_missing'
  | 'claim_invalid'
  | 'token_revoked'
  | 'roles_missing'
  | 'scopes_missing';

/** Thrown by the framework-free checks; `AuthGuard` turns it into an HTTP answer. */
export class TokenRefusedError extends Error {
  /**
   * @param code which check failed
   * @param explanation what was expected and what was found; never the token or a key
   */
  constructor(
    readonly code: TokenRefusalCode,
    readonly explanation: string,
  ) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(explanation);
    Error.stackTraceLimit = limit;
    this.name = 'TokenRefusedError';
  }
}
