import { guessIssuer, isShared, keysOf, sameKeys } from '../key-options.js';
import type { KrakendConfig, Signer, Validator } from '../krakend-config.js';
import type { RouteMapping } from '../route-mapping.js';

/** Variables by name, in the order of `.env.example`. */
export type EnvironmentVariables = Readonly<Record<string, string>>;

/** File for a signing key set that cannot be fetched from its URL. */
export const FETCHED_SIGNING_KEYS = 'keys/signing.jwks.json';

/** Returns the environment with which the gateway does what the configuration did. */
export function environmentOf(config: KrakendConfig, routes: RouteMapping): EnvironmentVariables {
  const { token, custom, signer, validator } = routes;
  const backend = token ?? custom ?? config.endpoints[0];
  const timeout = backend?.timeoutMs ?? config.timeoutMs;
  const own = [token, custom].flatMap((endpoint) => endpoint ?? []);
  const throttled = token?.rateLimit;
  const variables: Record<string, string | number | boolean | readonly string[] | undefined> = {
    HOST: config.address,
    PORT: config.port,
    TRUST_PROXY: config.trustedProxies,
    CORS_ORIGINS: config.corsOrigins,
    // KrakenD has no limit. The limit is for all routes, since JSON and forms are read before the route is called.
    BODY_LIMIT: routes.others.some(({ method }) => method !== 'GET') ? '1mb' : undefined,
    BACKEND_HOST: backend?.backend.hosts,
    BACKEND_TIMEOUT_MS: timeout === undefined ? undefined : Math.max(1, Math.round(timeout)),
    BACKEND_INPUT_HEADERS: unique(
      own.flatMap(({ inputHeaders, forwardCookies }) => [
        // The gateway itself decides what a login gets of this header.
        ...inputHeaders.filter((name) => name !== 'authorization'),
        ...(forwardCookies ? ['cookie'] : []),
      ]),
    ),
    BACKEND_INPUT_QUERY_STRINGS: unique(own.flatMap((endpoint) => endpoint.inputQueryStrings)),
    TOKEN_BACKEND_METHOD: token?.backend.method,
    TOKEN_BACKEND_PATH: token?.backend.path,
    PRIVATE_BACKEND_PATH: custom?.backend.path,
    ...signerVariables(signer, validator),
    ...validatorVariables(validator, config.sharedCacheDuration),
    ...(custom?.validator === undefined ? {} : claimVariables(custom.validator)),
    JWK_HTTP_HOSTS: httpHosts(config),
    // The shortest window of the variable is one second.
    THROTTLE_LIMIT: throttled && Math.ceil(throttled.limit * Math.max(1, 1000 / throttled.ttlMs)),
    THROTTLE_TTL_MS: throttled && Math.max(1000, throttled.ttlMs),
    LOG_LEVEL: config.logLevel,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => {
      const text = Array.isArray(value) ? value.join(',') : String(value ?? '');
      return text === '' ? [] : [[name, text]];
    }),
  );
}

function signerVariables(signer: Signer | undefined, validator: Validator | undefined) {
  // Tokens are the own ones of the gateway if it signs them, or if both sides share a secret.
  const own =
    validator !== undefined &&
    (isShared(validator.alg) || (signer !== undefined && sameKeys(validator.keys, signer.keys)));
  const SIGNER_ISSUER = own ? validator.issuer : undefined;
  if (signer === undefined) return { SIGNER_ISSUER };
  return {
    SIGNER_ALG: signer.alg,
    SIGNER_KID: signer.kid,
    SIGNER_KEYS_TO_SIGN: signer.keysToSign,
    ...signingKeys(signer),
    SIGNER_TYP: signer.typ,
    SIGNER_FULL: signer.full || undefined,
    SIGNER_ISSUER,
  };
}

/** KrakenD prefers the file to the URL. Signet does not fetch signing keys over plain http. */
function signingKeys({ keys: { path, url } }: Signer): EnvironmentVariables {
  if (path !== undefined) return { SIGNER_JWK_LOCAL_PATH: path };
  if (url === undefined) return {};
  return url.startsWith('https:')
    ? { SIGNER_JWK_URL: url }
    : { SIGNER_JWK_LOCAL_PATH: FETCHED_SIGNING_KEYS };
}

function validatorVariables(validator: Validator | undefined, sharedCache: number | undefined) {
  if (validator === undefined) return {};
  const { keys, audience, leewayMs, cooldownMs, issuer } = validator;
  const { path, url } = keysOf(validator);
  return {
    VALIDATOR_ALG: validator.alg,
    VALIDATOR_JWK_LOCAL_PATH: path,
    VALIDATOR_JWK_URL: url,
    VALIDATOR_JWK_CACHE_TTL: validator.cacheDuration ?? sharedCache,
    VALIDATOR_JWK_COOLDOWN: cooldownMs === undefined ? undefined : atLeastOne(cooldownMs / 1000),
    VALIDATOR_JWK_FINGERPRINTS: keys.fingerprints,
    VALIDATOR_JWK_LOCAL_CA: keys.ca,
    VALIDATOR_KEY_IDENTIFY_STRATEGY: validator.identifyStrategy,
    VALIDATOR_ISSUER: issuer ?? (url === undefined ? undefined : guessIssuer(url)),
    VALIDATOR_AUDIENCE: audience.length === 0 ? 'unchecked' : audience,
    VALIDATOR_AUDIENCE_MATCHER: audience.length > 1 ? 'all' : undefined,
    VALIDATOR_LEEWAY: leewayMs === undefined ? undefined : atLeastOne(leewayMs / 1000),
  };
}

/**
 * Variables that say where `GET /private/custom` finds the token and its roles. Other routes have options of their own.
 */
const claimVariables = (validator: Validator) => ({
  VALIDATOR_ROLES_KEY: validator.rolesKey,
  VALIDATOR_ROLES_KEY_IS_NESTED: validator.rolesKeyIsNested || undefined,
  VALIDATOR_COOKIE_KEY: validator.cookieKey,
  VALIDATOR_AUTH_HEADER_NAME: validator.authHeaderName,
});

/** Returns the hosts of key sets that are fetched over plain http. */
const httpHosts = ({ endpoints }: KrakendConfig): string[] =>
  unique(
    endpoints.flatMap(({ validator }) => {
      const url = validator && URL.parse(keysOf(validator).url ?? '');
      return url?.protocol === 'http:' ? [url.hostname] : [];
    }),
  );

/** Rounds seconds, to at least one as in KrakenD. */
export const atLeastOne = (seconds: number): number => Math.max(1, Math.round(seconds));

export const unique = (names: readonly string[]): string[] => [...new Set(names)];
