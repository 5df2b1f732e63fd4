import { GatewayException } from '../../http/index.js';

/** The client disconnected before its answer, so this one reaches no client. */
export class ClientGoneException extends GatewayException {
  constructor() {
    super({
      status: 400,
      error: 'invalid_request',
      code: 'client_gone',
      description: 'The client is gone.',
    });
  }
}

/** 400 `invalid_grant` (RFC 6749 section 5.2): the refresh token is not, or no longer, accepted. */
export class RefreshRefusedException extends GatewayException {
  constructor(code: 'refresh_token_invalid' | 'refresh_token_reused', explanation: string) {
    super({
      status: 400,
      error: 'invalid_grant',
      code,
      description:
        code === 'refresh_token_invalid'
          ? 'The refresh token is not accepted.'
          : 'The refresh token was used before; the session has ended.',
      explanation,
    });
  }
}
