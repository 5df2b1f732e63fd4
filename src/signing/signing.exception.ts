import { GatewayException } from '../http/index.js';
import type { SigningError, SigningErrorCode } from '../core/sign/index.js';

const DESCRIPTIONS: Readonly<Record<SigningErrorCode, string>> = {
  sign_target_missing: 'The answer holds none of the fields to sign.',
  sign_target_invalid: 'A field to sign does not hold claims.',
  claims_expired: 'The claims to sign are expired already.',
  claims_invalid: 'The claims to sign hold one that no token may have.',
  token_too_large: 'There are more claims to sign than fit into a token.',
};

/** 502: the result of the handler cannot be signed. `code` is that of the {@link SigningError}. */
export class SigningException extends GatewayException {
  constructor(reason: SigningError) {
    const { code, explanation } = reason;
    super({
      status: 502,
      error: 'server_error',
      code,
      description: DESCRIPTIONS[code],
      explanation,
      cause: reason,
    });
  }
}
