import type { KeyOptions, KrakendConfig, Signer, Validator } from './krakend-config.js';
import type { RouteMapping } from './route-mapping.js';

/** Variables by name, in the order of `.env.example`. */
export type EnvironmentVariables = Readonly<Record<string, string>>;

/** The environment that makes the gateway do what the configuration did. */
export function environmentOf(config: KrakendConfig, routes: RouteMapping): EnvironmentVariables {
  const { token, custom, signer, validator } = routes;
  const backend = token ?? custom ?? config.endpoints[0];
  const timeout = backend?.timeoutMs ?? config.timeoutMs;
  const secure = [signer?.keys, validator?.keys].some((keys) => keys?.url?.startsWith('http:'));
  const variables: Record<string, string | number | boolean | readonly string[] | undefined> = {
    PORT: config.port,
    BACKEND_HOST: backend?.backend.host,
    BACKEND_TIMEOUT_MS: timeout === undefined ? undefined : Math.max(1, Math.round(timeout)),
    BACKEND_INPUT_HEADERS: forwardable(
      [token, custom].flatMap((endpoint) => endpoint?.inputHeaders ?? []),
      validator,
    ),
    BACKEND_INPUT_QUERY_STRINGS: unique(
      [token, custom].flatMap((endpoint) => endpoint?.inputQueryStrings ?? []),
    ).filter((name) => name !== '*'),
    TOKEN_BACKEND_METHOD: token?.backend.method,
    TOKEN_BACKEND_PATH: token?.backend.path,
    PRIVATE_BACKEND_PATH: custom?.backend.path,
    ...signerVariables(signer, validator),
    ...validatorVariables(validator, config.sharedCacheDuration),
    // KrakenD asks for this flag with every local file, which needs none here.
    DISABLE_JWK_SECURITY: secure ? true : undefined,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => {
      const text = Array.isArray(value) ? value.join(',') : String(value ?? '');
      return text === '' ? [] : [[name, text]];
    }),
  );
}

function signerVariables(signer: Signer | undefined, validator: Validator | undefined) {
  if (signer === undefined) return {};
  return {
    SIGNER_ALG: signer.alg,
    SIGNER_KID: signer.kid,
    SIGNER_KEYS_TO_SIGN: signer.keysToSign,
    SIGNER_JWK_LOCAL_PATH: signer.keys.path,
    // Of two sources KrakenD takes the file.
    SIGNER_JWK_URL: signer.keys.path === undefined ? signer.keys.url : undefined,
    SIGNER_TYP: signer.typ,
    SIGNER_FULL: signer.full || undefined,
    // The tokens that are validated are those that are signed.
    SIGNER_ISSUER: validator?.issuer,
  };
}

function validatorVariables(validator: Validator | undefined, sharedCache: number | undefined) {
  if (validator === undefined) return {};
  const { keys, audience, leewayMs, cooldownMs } = validator;
  return {
    VALIDATOR_ALG: validator.alg,
    VALIDATOR_JWK_LOCAL_PATH: keys.path,
    VALIDATOR_JWK_URL: keys.path === undefined ? keys.url : undefined,
    VALIDATOR_JWK_CACHE_TTL: validator.cacheDuration ?? sharedCache,
    VALIDATOR_JWK_COOLDOWN: cooldownMs === undefined ? undefined : atLeastOne(cooldownMs / 1000),
    VALIDATOR_JWK_FINGERPRINTS: keys.fingerprints,
    VALIDATOR_JWK_LOCAL_CA: keys.ca,
    VALIDATOR_KEY_IDENTIFY_STRATEGY: validator.identifyStrategy,
    VALIDATOR_ISSUER: validator.issuer,
    VALIDATOR_AUDIENCE: audience,
    VALIDATOR_AUDIENCE_MATCHER: audience.length > 1 ? 'all' : undefined,
    VALIDATOR_ROLES_KEY: validator.rolesKey,
    VALIDATOR_ROLES_KEY_IS_NESTED: validator.rolesKeyIsNested || undefined,
    VALIDATOR_SCOPES_KEY: validator.scopesKey,
    VALIDATOR_SCOPES_MATCHER: validator.scopesMatcher,
    VALIDATOR_COOKIE_KEY: validator.cookieKey,
    VALIDATOR_AUTH_HEADER_NAME: validator.authHeaderName,
    VALIDATOR_LEEWAY: leewayMs === undefined ? undefined : atLeastOne(leewayMs / 1000),
    VALIDATOR_PROPAGATE_CLAIMS: validator.propagateClaims.map(
      ([claim, header]) => `${claim}:${header}`,
    ),
  };
}

/** KrakenD takes anything below for one second. */
const atLeastOne = (seconds: number): number => Math.max(1, Math.round(seconds));

/** True when both get their keys from the same place. */
export const sameKeys = (a: KeyOptions, b: KeyOptions): boolean =>
  a.path === b.path && (a.path !== undefined || a.url === b.url);

const NEVER =
  /^(?:connection|content-length|content-type|accept-encoding|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|\*)$/i;

/** Headers that the backend may get from the client: none that claims are written into. */
export function forwardable(
  names: readonly string[],
  validator: Validator | undefined,
): readonly string[] {
  const written = (validator?.propagateClaims ?? []).map(([, header]) => header.toLowerCase());
  return unique(names.map((name) => name.toLowerCase())).filter(
    (name) => !NEVER.test(name) && !written.includes(name),
  );
}

export const unique = (names: readonly string[]): string[] => [...new Set(names)];
