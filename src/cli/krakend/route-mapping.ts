import { sameKeys } from './key-options.js';
import type { Endpoint, KrakendConfig, Signer, Validator } from './krakend-config.js';

/** Which endpoints become own routes of the gateway, and which need a controller. */
export interface RouteMapping {
  /** Becomes `POST /token`. */
  readonly token: Endpoint | undefined;
  /** Becomes `GET /private/custom`. */
  readonly custom: Endpoint | undefined;
  /** Become controllers. */
  readonly others: readonly Endpoint[];
  /** Modules of the gateway whose routes controllers replace. */
  readonly replaced: readonly ('TokenModule' | 'PrivateModule' | 'PagesModule')[];
  /** The signer whose settings become the defaults of all signing routes. */
  readonly signer: Signer | undefined;
  /** The validator whose settings become the defaults of all protected routes. */
  readonly validator: Validator | undefined;
}

/** Roles of the own route `GET /private/custom` of the gateway. */
const CUSTOM_ROLES = ['role_a', 'role_c'];

/** Maps endpoints to own routes of the gateway where these do all that the configuration says. */
export function mapRoutes(config: KrakendConfig): RouteMapping {
  const { endpoints } = config;
  const signing = endpoints.filter(({ signer }) => signer !== undefined);
  const token =
    signing.find((endpoint) => isToken(endpoint, 'POST')) ??
    signing.find((endpoint) => isToken(endpoint, 'GET'));
  const custom = endpoints.find((endpoint) => isCustom(endpoint, token, config));
  const signer = (token ?? signing[0])?.signer;
  const guarded = endpoints.flatMap(({ validator }) => validator ?? []);
  const others = endpoints
    // A GET route is kept beside POST, for old clients.
    .filter((endpoint) => (endpoint !== token || endpoint.method === 'GET') && endpoint !== custom)
    .sort((a, b) => bySpecificity(a.path, b.path));
  const has = (label: string): boolean => others.some((endpoint) => endpoint.label === label);
  return {
    token,
    custom,
    others,
    replaced: [
      ...(has('POST /token') ? (['TokenModule'] as const) : []),
      ...(has('GET /private/custom') ? (['PrivateModule'] as const) : []),
      ...(has('GET /') ? (['PagesModule'] as const) : []),
    ],
    signer,
    validator:
      custom?.validator ??
      guarded.find(({ keys }) => signer !== undefined && sameKeys(keys, signer.keys)) ??
      guarded[0],
  };
}

/**
 * Sorts fixed segments before parameters, as KrakenD prefers them. Express takes the first route that matches, and an
 * open route must not answer for a protected one.
 */
function bySpecificity(a: string, b: string): number {
  const rank = (segment = ''): number => (segment.startsWith('{') ? 1 : segment === '*' ? 2 : 0);
  const [segments, others] = [a.split('/'), b.split('/')];
  for (const [index, segment] of segments.entries()) {
    const other = others[index];
    const difference = rank(segment) - rank(other);
    if (difference !== 0) return difference;
    // Any order will do, but it has to be consistent.
    if (rank(segment) === 0 && segment !== other) return segment < (other ?? '') ? -1 : 1;
  }
  return segments.length - others.length;
}

const isToken = (endpoint: Endpoint, method: string): boolean =>
  endpoint.path === '/token' &&
  endpoint.method === method &&
  endpoint.validator === undefined &&
  endpoint.refusals.length === 0 &&
  // The backend may be called with GET for a POST. TOKEN_BACKEND_METHOD does not allow DELETE.
  ['GET', 'POST', 'PUT', 'PATCH'].includes(endpoint.backend.method) &&
  !endpoint.backend.path.includes('{');

function isCustom(
  endpoint: Endpoint,
  token: Endpoint | undefined,
  { endpoints, timeoutMs }: KrakendConfig,
): boolean {
  const { validator } = endpoint;
  if (endpoint.label !== 'GET /private/custom' || validator === undefined) return false;
  const isPlain =
    endpoint.signer === undefined &&
    endpoint.refusals.length + endpoint.conditions.length === 0 &&
    endpoint.rateLimit === undefined &&
    endpoint.encoding === 'json' &&
    endpoint.backend.method === 'GET' &&
    !endpoint.forwardToken &&
    !endpoint.forwardCookies &&
    // The own route percent-encodes claims in headers.
    validator.propagateClaims.length === 0 &&
    !endpoint.backend.path.replaceAll(/\{JWT\.[^{}]+\}/g, '').includes('{');
  // The variables for this route apply to all others, too.
  const isAlone = endpoints.every((other) => other === endpoint || other.validator === undefined);
  const settings = (of: Endpoint): string =>
    JSON.stringify([
      of.backend.hosts,
      of.timeoutMs ?? timeoutMs,
      of.inputHeaders,
      of.inputQueryStrings,
    ]);
  return (
    isPlain &&
    sameRoles(validator) &&
    (isAlone || validator.cookieKey === undefined) &&
    (token === undefined || settings(token) === settings(endpoint))
  );
}

const sameRoles = ({ roles, scopes }: Validator): boolean =>
  scopes.length === 0 &&
  roles.length === CUSTOM_ROLES.length &&
  CUSTOM_ROLES.every((role) => roles.includes(role));
