import { RefusalError } from './refusal.error.js';

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

/** A check of a token failed; `AuthGuard` turns it into an HTTP answer. */
export class TokenRefusedError extends RefusalError<TokenRefusalCode> {
  override readonly name = 'TokenRefusedError';
}
