import { RefusalError } from './refusal.error.js';

/** Why a token or its proof was refused: the codes of the 401 and 400 rows of the error table. */
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
  | 'dpop_disabled'
  | 'dpop_scheme_needed'
  | 'dpop_token_unbound'
  | 'dpop_key_mismatch'
  | 'dpop_proof_missing'
  | 'dpop_proof_invalid'
  | 'dpop_proof_mismatch'
  | 'dpop_proof_expired'
  | 'dpop_proof_reused'
  | 'dpop_nonce_needed'
  | 'insufficient_user_authentication'
  | 'roles_missing'
  | 'scopes_missing';

/** A check of a token failed. `AuthGuard` turns the error into an HTTP response. */
export class TokenRefusedError extends RefusalError<TokenRefusalCode> {
  override readonly name = 'TokenRefusedError';
}
