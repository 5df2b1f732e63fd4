import { GatewayException } from '../http/index.js';
import type { TokenRefusalCode, TokenRefusedError } from '../core/errors/index.js';
import type { TokenPolicy } from '../core/verify/index.js';

/** `Bearer` needs at least one parameter (RFC 6750 section 3). */
const REALM = 'Bearer realm="signet"';

/** An answer to a request whose token is missing, refused or not enough (RFC 6750 section 3.1). */
export class TokenRefusedException extends GatewayException {
  constructor({ code, explanation }: TokenRefusedError, policy: TokenPolicy) {
    const { status, error, description } = describe(code);
    const scope =
      code === 'scopes_missing'
        ? `, scope="${policy.scopes.join(' ').replace(/[^\x20-\x7e]|["\\]/g, '')}"`
        : '';
    super({
      status,
      error,
      code,
      description,
      explanation,
      headers: {
        // A request without credentials gets no error code (RFC 6750 section 3.1).
        'WWW-Authenticate':
          error === undefined
            ? REALM
            : `${REALM}, error="${error}", error_description="${description}"${scope}`,
      },
    });
  }
}

/** 403 `csrf_refused`: a browser sent the cookie, but another site may have made it do so. */
export class CsrfRefusedException extends GatewayException {
  constructor() {
    super({
      status: 403,
      error: 'access_denied',
      code: 'csrf_refused',
      description: 'A request with a session cookie has to come from the same origin.',
      explanation:
        'a request that changes something by cookie needs Sec-Fetch-Site: same-origin, or the own Origin (behind a proxy: that of the option publicUrl of AuthModule)',
      headers: { 'WWW-Authenticate': REALM },
    });
  }
}

function describe(code: TokenRefusalCode): {
  status: number;
  error?: string;
  description: string;
} {
  switch (code) {
    case 'token_missing':
      return { status: 401, description: 'This resource needs a bearer token.' };
    case 'token_ambiguous':
      return {
        status: 400,
        error: 'invalid_request',
        description: 'The request carries more than one token.',
      };
    case 'roles_missing':
    case 'scopes_missing':
      return {
        status: 403,
        error: 'insufficient_scope',
        description: 'The token does not grant access to this resource.',
      };
    default:
      return { status: 401, error: 'invalid_token', description: 'The token is not accepted.' };
  }
}
