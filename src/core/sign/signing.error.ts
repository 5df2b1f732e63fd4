import { RefusalError } from '../errors/index.js';

/** Why an answer cannot be signed; the codes of the 502 rows of the error table. */
export type SigningErrorCode =
  | 'sign_target_missing'
  | 'sign_target_invalid'
  | 'claims_expired'
  | 'claims_invalid'
  | 'token_too_large';

/** The answer of a handler or its backend cannot be signed. The message names fields, never values. */
export class SigningError extends RefusalError<SigningErrorCode> {
  override readonly name = 'SigningError';
}
