import { GatewayException } from '../http/gateway.exception.js';

/** 502: what the backend answered cannot be signed. An unsigned token never leaves. */
export class SigningException extends GatewayException {
  /**
   * @param code `sign_target_missing`, `sign_target_invalid` or `claims_expired`
   * @param explanation names fields, never values
   */
  constructor(
    code: 'sign_target_missing' | 'sign_target_invalid' | 'claims_expired',
    explanation: string,
  ) {
    super({
      status: 502,
      error: 'server_error',
      code,
      description: DESCRIPTIONS[code],
      explanation,
    });
  }
}

const DESCRIPTIONS = {
  sign_target_missing: 'The backend answer holds none of the fields to sign.',
  sign_target_invalid: 'A field to sign does not hold claims.',
  claims_expired: 'The backend sent claims that are expired already.',
} as const;
