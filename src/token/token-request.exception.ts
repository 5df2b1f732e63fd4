import { GatewayException } from '../http/index.js';

/** A token request that is refused before the backend is asked (RFC 6749 section 5.2). */
export class TokenRequestException extends GatewayException {
  constructor(
    code: 'body_malformed' | 'media_type_unsupported' | 'grant_unsupported',
    description: string,
    explanation?: string,
  ) {
    super({
      status: code === 'media_type_unsupported' ? 415 : 400,
      error: code === 'grant_unsupported' ? 'unsupported_grant_type' : 'invalid_request',
      code,
      description,
      explanation,
    });
  }
}
