import { asksForLogin, type TokenPolicy } from '../core/verify/index.js';
import type { ErrorCodes, SecuritySchemes } from './document-types.js';
import { PROOF_CODES } from './errors.js';

/** What `@RequireJwt` adds to an operation. */
export interface Protection {
  schemes: SecuritySchemes;
  security: Record<string, string[]>[];
  /** Description in Markdown. */
  text: string;
  errors: ErrorCodes;
}

const SAFE_METHODS = ['get', 'head', 'options'];

/** Describes a token policy for the OpenAPI document. @param method HTTP method, in lower case */
export function describeProtection(policy: TokenPolicy, method: string): Protection {
  const { authHeaderName, cookieKey, optional, roles, scopes, dpop } = policy;
  const schemes: SecuritySchemes =
    authHeaderName !== 'authorization'
      ? { [schemeName(authHeaderName)]: { type: 'apiKey', in: 'header', name: authHeaderName } }
      : dpop === 'required'
        ? { dpop: { type: 'http', scheme: 'dpop', bearerFormat: 'JWT' } }
        : { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } };
  // A token in a cookie cannot come with a DPoP proof.
  if (cookieKey !== undefined && dpop !== 'required')
    schemes[schemeName(`cookie ${cookieKey}`)] = { type: 'apiKey', in: 'cookie', name: cookieKey };
  const forbidden = [
    ...(roles.length > 0 ? ['roles_missing'] : []),
    ...(scopes.length > 0 ? ['scopes_missing'] : []),
    ...(cookieKey !== undefined && !SAFE_METHODS.includes(method) ? ['csrf_refused'] : []),
  ];
  return {
    schemes,
    security: [...Object.keys(schemes).map((name) => ({ [name]: [] })), ...(optional ? [{}] : [])],
    text: text(policy),
    errors: {
      400: ['token_ambiguous'],
      401: [
        ...(optional ? [] : ['token_missing']),
        'invalid_token',
        ...(asksForLogin(policy) ? ['insufficient_user_authentication'] : []),
        ...(dpop === false ? [] : PROOF_CODES),
      ],
      ...(forbidden.length > 0 ? { 403: forbidden } : {}),
      503: ['keys_unavailable', 'state_unavailable'],
    },
  };
}

/** Replaces characters that names of components must not have (OpenAPI 3.0, Components Object). */
const schemeName = (name: string): string => name.replace(/[^\w.-]/g, '-');

function text(policy: TokenPolicy): string {
  const { optional, roles, rolesMatcher, rolesKey, scopes, scopesMatcher, requiredClaims } = policy;
  const { acr, maxAge } = policy;
  const lines = [optional ? 'A token may be left out.' : 'Needs a token.'];
  if (policy.dpop === 'required') lines.push('It has to come with a DPoP proof (RFC 9449).');
  if (roles.length > 0)
    lines.push(`Needs ${rolesMatcher} of the roles ${codes(roles)} (claim \`${rolesKey}\`).`);
  if (scopes.length > 0) lines.push(`Needs ${scopesMatcher} of the scopes ${codes(scopes)}.`);
  if (requiredClaims.length > 0) lines.push(`Needs the claims ${codes(requiredClaims)}.`);
  if (acr.length > 0) lines.push(`Needs a login with one of ${codes(acr)} (\`acr\`, RFC 9470).`);
  if (maxAge !== undefined)
    lines.push(`Needs a login within the last ${maxAge} s (\`auth_time\`, RFC 9470).`);
  return lines.join(' ');
}

const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
