import { GatewayException, prepareAnswer, type GatewayError } from '../http/index.js';
import type { TokenRefusalCode, TokenRefusedError } from '../core/errors/index.js';
import type { BearerToken, TokenPolicy } from '../core/verify/index.js';

/** Begin of a `Bearer` challenge, which needs at least one parameter (RFC 6750 section 3). */
const REALM = 'Bearer realm="signet"';

/**
 * The answer to a request whose token is missing, refused or insufficient, or whose DPoP proof is refused
 * (RFC 6750 section 3.1, RFC 9449 section 7.1).
 */
export class TokenRefusedException extends GatewayException {
  /**
   * @param scheme scheme of the header with the token. The challenge of this scheme contains the error; where DPoP is
   * required, the `DPoP` challenge does
   * @param resourceMetadata URL of the metadata of the resource (RFC 9728 section 5.1)
   */
  constructor(
    error: TokenRefusedError,
    policy: TokenPolicy,
    scheme?: BearerToken['scheme'],
    resourceMetadata?: string,
  ) {
    super(tokenRefusal(error, policy, scheme, resourceMetadata));
  }
}

/** Returns the details of a {@link TokenRefusedException}, for answers that are sent without an exception. */
export function tokenRefusal(
  { code, explanation }: Pick<TokenRefusedError, 'code' | 'explanation'>,
  policy: TokenPolicy,
  scheme?: BearerToken['scheme'],
  resourceMetadata?: string,
): GatewayError {
  const { refusals } = partsOf(policy);
  const byDpop = scheme === 'DPoP';
  let kind = refusals.get(code);
  if (kind?.byDpop !== byDpop || kind.resourceMetadata !== resourceMetadata) {
    kind = kindOf(code, policy, byDpop, resourceMetadata);
    refusals.set(code, kind);
  }
  const { status, error, description, headers, prepared } = kind.answer;
  return { status, error, code, description, explanation, headers, prepared };
}

/** The part of the answer that all refusals with one code on one route share. */
interface RefusalKind {
  readonly byDpop: boolean;
  readonly resourceMetadata: string | undefined;
  readonly answer: GatewayError;
}

function kindOf(
  code: TokenRefusalCode,
  policy: TokenPolicy,
  byDpop: boolean,
  resourceMetadata: string | undefined,
): RefusalKind {
  const { status, error, description } = describe(code);
  const { scope, stepUp } = partsOf(policy);
  // A request without credentials gets no error code (RFC 6750 section 3.1).
  const reason =
    error === undefined ? '' : `, error="${error}", error_description="${description}"`;
  const challenge = challenges(
    policy,
    byDpop,
    code === 'insufficient_user_authentication' ? reason + stepUp : reason,
    resourceMetadata === undefined ? scope : `${scope}, resource_metadata="${resourceMetadata}"`,
  );
  const headers = { 'WWW-Authenticate': challenge };
  const answer = prepareAnswer({ status, error, code, description, headers });
  return { byDpop, resourceMetadata, answer };
}

/**
 * Returns one challenge per accepted scheme.
 *
 * @param reason error parameters, for the challenge of the scheme that the client used
 * @param needed parameters for every challenge: what a token needs
 */
function challenges(policy: TokenPolicy, byDpop: boolean, reason: string, needed: string): string {
  const { dpop } = policy;
  const inDpop = dpop === 'required' || (byDpop && dpop);
  const bearer = `${REALM}${inDpop ? '' : reason}${needed}`;
  if (dpop === false) return bearer;
  const proof = `DPoP ${inDpop && reason !== '' ? `${reason.slice(2)}, ` : ''}${partsOf(policy).algs}${needed}`;
  return dpop === 'required' ? proof : `${bearer}, ${proof}`;
}

/** Parts of challenges that are the same for each request to a route. */
interface ChallengeParts {
  /** Parameter `scope`: exactly the scopes that a token needs (RFC 6750 section 3). Empty if it needs none. */
  readonly scope: string;
  /** Parameters `acr_values` and `max_age` (RFC 9470 section 3). */
  readonly stepUp: string;
  /** Parameter `algs` (RFC 9449 section 7.1). */
  readonly algs: string;
  /** The latest answer for each code. */
  readonly refusals: Map<TokenRefusalCode, RefusalKind>;
}

const compiled = new WeakMap<TokenPolicy, ChallengeParts>();

function partsOf(policy: TokenPolicy): ChallengeParts {
  let parts = compiled.get(policy);
  if (parts === undefined) {
    const { scopes, acr, maxAge, dpopAlgorithms } = policy;
    parts = {
      scope: scopes.length === 0 ? '' : `, scope="${quotable(scopes.join(' '))}"`,
      stepUp:
        (acr.length === 0 ? '' : `, acr_values="${acr.join(' ')}"`) +
        (maxAge === undefined ? '' : `, max_age="${maxAge}"`),
      algs: `algs="${[...dpopAlgorithms].join(' ')}"`,
      refusals: new Map(),
    };
    compiled.set(policy, parts);
  }
  return parts;
}

const quotable = (text: string): string => text.replace(/[^\x20-\x7e]|["\\]/g, '');

/** 503 `keys_unavailable`: the option `issuerResolver` gives no answer about an issuer at the moment. */
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

/** 403 `csrf_refused`: a page of another origin may have caused a request that carries or sets a cookie. */
export class CsrfRefusedException extends GatewayException {
  constructor() {
    super({
      status: 403,
      error: 'access_denied',
      code: 'csrf_refused',
      description:
        'Requests with session cookies, and those that set them, have to come from the same origin.',
      explanation:
        'a request that changes something by cookie, or sets cookies, needs Sec-Fetch-Site: same-origin, or the own Origin (behind a proxy: that of the option publicUrl of AuthModule), or one of the option trustedOrigins of AuthModule',
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
    case 'insufficient_user_authentication':
      return {
        status: 401,
        error: 'insufficient_user_authentication',
        description: 'The user has to log in once more.',
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
