import { GatewayException } from '../http/index.js';
import type { TokenRefusalCode, TokenRefusedError } from '../core/errors/index.js';
import type { BearerToken, TokenPolicy } from '../core/verify/index.js';

/** `Bearer` needs at least one parameter (RFC 6750 section 3). */
const REALM = 'Bearer realm="signet"';

/**
 * An answer to a request whose token is missing, refused or not enough, or whose proof is refused
 * (RFC 6750 section 3.1, RFC 9449 section 7.1).
 */
export class TokenRefusedException extends GatewayException {
  /** @param scheme by which the token was sent: the challenge of that scheme says what is wrong */
  constructor(
    { code, explanation }: TokenRefusedError,
    policy: TokenPolicy,
    scheme?: BearerToken['scheme'],
  ) {
    const { status, error, description } = describe(code);
    const parameters: string[] = [];
    // A request without credentials gets no error code (RFC 6750 section 3.1).
    if (error !== undefined)
      parameters.push(`error="${error}"`, `error_description="${description}"`);
    if (code === 'scopes_missing')
      parameters.push(`scope="${policy.scopes.join(' ').replace(/[^\x20-\x7e]|["\\]/g, '')}"`);
    super({
      status,
      error,
      code,
      description,
      explanation,
      headers: { 'WWW-Authenticate': challenges(policy, scheme === 'DPoP', parameters) },
    });
  }
}

/** One challenge per scheme that is accepted; the parameters stand in that of the scheme that was used. */
function challenges(
  { dpop, dpopAlgorithms }: TokenPolicy,
  byDpop: boolean,
  parameters: readonly string[],
): string {
  const inDpop = dpop === 'required' || (byDpop && dpop);
  const bearer = [REALM, ...(inDpop ? [] : parameters)].join(', ');
  if (dpop === false) return bearer;
  const algs = `algs="${[...dpopAlgorithms].join(' ')}"`;
  const proof = `DPoP ${[...(inDpop ? parameters : []), algs].join(', ')}`;
  return dpop === 'required' ? proof : `${bearer}, ${proof}`;
}

/** 503: what holds for tokens of an issuer that is not listed cannot be said at the moment. */
export class IssuerUnavailableException extends GatewayException {
  constructor() {
    super({
      status: 503,
      error: 'temporarily_unavailable',
      code: 'keys_unavailable',
      description: 'The keys for tokens are not available at the moment.',
      explanation:
        'the option issuerResolver of AuthModule does not say what holds for this issuer',
      headers: { 'Retry-After': '2' },
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
    case 'dpop_proof_missing':
    case 'dpop_proof_invalid':
    case 'dpop_proof_mismatch':
    case 'dpop_proof_expired':
    case 'dpop_proof_reused':
      return {
        status: 401,
        error: 'invalid_dpop_proof',
        description: 'The DPoP proof is not accepted.',
      };
    case 'dpop_nonce_needed':
      return {
        status: 401,
        error: 'use_dpop_nonce',
        description: 'The DPoP proof needs the nonce of the DPoP-Nonce header.',
      };
    default:
      return { status: 401, error: 'invalid_token', description: 'The token is not accepted.' };
  }
}
