import { GatewayException } from '../../http/index.js';

const ERRORS = {
  body_malformed: 'invalid_request',
  media_type_unsupported: 'invalid_request',
  grant_unsupported: 'unsupported_grant_type',
  scope_not_granted: 'invalid_scope',
  target_unknown: 'invalid_target',
} as const;

/** A token request that is refused before the backend is asked (RFC 6749 section 5.2, RFC 8707 section 2). */
export class TokenRequestException extends GatewayException {
  constructor(code: keyof typeof ERRORS, description: string, explanation?: string) {
    super({
      status: code === 'media_type_unsupported' ? 415 : 400,
      error: ERRORS[code],
      code,
      description,
      explanation,
    });
  }
}
