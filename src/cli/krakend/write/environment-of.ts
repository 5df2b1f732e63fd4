import { guessIssuer, isShared, keysOf, sameKeys } from '../key-options.js';
import type { KrakendConfig, Signer, Validator } from '../krakend-config.js';
import type { RouteMapping } from '../route-mapping.js';

/** Variables by name, in the order of `.env.example`. */
export type EnvironmentVariables = Readonly<Record<string, string>>;

/** Where a signing key set stands that cannot come from its URL. */
export const FETCHED_SIGNING_KEYS = 'keys/signing.jwks.json';

/** The environment that makes the gateway do what the configuration did. */
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
    // KrakenD has no limit; JSON and forms are read before their route is asked.
    BODY_LIMIT: routes.others.some(({ method }) => method !== 'GET') ? '1mb' : undefined,
    BACKEND_HOST: backend?.backend.hosts,
    BACKEND_TIMEOUT_MS: timeout === undefined ? undefined : Math.max(1, Math.round(timeout)),
    BACKEND_INPUT_HEADERS: unique(
      own.flatMap(({ inputHeaders, forwardCookies }) => [
        // The gateway passes on what a login may see of it.
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
    // Windows of the variable begin at one second.
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
  // Tokens are our own where they are signed here, or with a secret that both sides share.
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

/** Of two sources KrakenD takes the file. Signing keys never come by plain http. */
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

/** What `GET /private/custom` reads in a token. Other routes say it themselves. */
const claimVariables = (validator: Validator) => ({
  VALIDATOR_ROLES_KEY: validator.rolesKey,
  VALIDATOR_ROLES_KEY_IS_NESTED: validator.rolesKeyIsNested || undefined,
  VALIDATOR_COOKIE_KEY: validator.cookieKey,
  VALIDATOR_AUTH_HEADER_NAME: validator.authHeaderName,
});

/** Hosts of key sets that come by plain http. */
const httpHosts = ({ endpoints }: KrakendConfig): string[] =>
  unique(
    endpoints.flatMap(({ validator }) => {
      const url = validator && URL.parse(keysOf(validator).url ?? '');
      return url?.protocol === 'http:' ? [url.hostname] : [];
    }),
  );

/** KrakenD takes anything below for one second. */
export const atLeastOne = (seconds: number): number => Math.max(1, Math.round(seconds));

export const unique = (names: readonly string[]): string[] => [...new Set(names)];
