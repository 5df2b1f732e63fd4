/** What a variable is when it is unset or empty; a variable without a default is not in here. */
const DEFAULTS: Readonly<Record<string, string>> = {
  NODE_ENV: 'development',
  HOST: '0.0.0.0',
  PORT: '8080',
  MANAGEMENT_PORT: '8090',
  WORKERS: '1',
  BODY_LIMIT: '16kb',
  SHUTDOWN_DELAY_MS: '0',
  SHUTDOWN_TIMEOUT_MS: '10000',
  BACKEND_TIMEOUT_MS: '2000',
  BACKEND_MAX_BODY: '1mb',
  BACKEND_INPUT_HEADERS: '',
  BACKEND_INPUT_QUERY_STRINGS: '',
  TOKEN_BACKEND_METHOD: 'POST',
  TOKEN_BACKEND_PATH: '/token.json',
  PRIVATE_BACKEND_PATH: '/user/1.json',
  REFRESH_RETRY_WINDOW: '0',
  REFRESH_ABSOLUTE_TTL: '7776000',
  SIGNER_ALG: 'HS256',
  SIGNER_KID: 'sim2',
  SIGNER_KEYS_TO_SIGN: 'access_token,refresh_token',
  SIGNER_REQUIRE_ALL_KEYS: 'false',
  SIGNER_JWK_LOCAL_PATH: 'keys/signing.jwks.json',
  SIGNER_TYP: 'JWT',
  SIGNER_REFRESH_TYP: 'rt+jwt',
  SIGNER_FULL: 'false',
  SIGNER_ACCESS_TTL: '3600',
  SIGNER_REFRESH_TTL: '1209600',
  SIGNER_STALE_EXP: 'reject',
  VALIDATOR_JWK_CACHE_TTL: '900',
  VALIDATOR_JWK_COOLDOWN: '10',
  VALIDATOR_JWK_FINGERPRINTS: '',
  VALIDATOR_KEY_IDENTIFY_STRATEGY: 'kid',
  VALIDATOR_ISSUER: 'https://krakend.io',
  VALIDATOR_AUDIENCE: 'http://api.example.com',
  VALIDATOR_AUDIENCE_MATCHER: 'any',
  VALIDATOR_ROLES_KEY: 'roles',
  VALIDATOR_ROLES_KEY_IS_NESTED: 'false',
  VALIDATOR_ROLES_MATCHER: 'any',
  VALIDATOR_SCOPES_KEY: 'scope',
  VALIDATOR_SCOPES_MATCHER: 'any',
  VALIDATOR_REQUIRED_CLAIMS: '',
  VALIDATOR_TYP: 'JWT,at+jwt',
  VALIDATOR_AUTH_HEADER_NAME: 'Authorization',
  VALIDATOR_LEEWAY: '1',
  VALIDATOR_PROPAGATE_CLAIMS: '',
  VALIDATOR_SIGNATURE_CACHE: '10000',
  DISABLE_JWK_SECURITY: 'false',
  KEY_RELOAD_INTERVAL_MS: '1000',
  STATE_STORE: 'sqlite:data/signet.db',
  ADMIN_ROLES: '',
  THROTTLE_LIMIT: '0',
  THROTTLE_TTL_MS: '60000',
  SESSION_COOKIES: 'false',
  ERRORS_EXPLAIN: 'true',
  SWAGGER_ENABLED: 'true',
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'pretty',
};

/** What `NODE_ENV=production` changes. */
const PRODUCTION_DEFAULTS: Readonly<Record<string, string>> = {
  WORKERS: 'auto',
  SHUTDOWN_DELAY_MS: '5000',
  THROTTLE_LIMIT: '300',
  ERRORS_EXPLAIN: 'false',
  SWAGGER_ENABLED: 'false',
  LOG_FORMAT: 'json',
};

/** The key file that development creates when it is missing. */
export const DEFAULT_KEY_FILE = DEFAULTS.SIGNER_JWK_LOCAL_PATH;

/** `raw` completed: what is unset or empty gets its default, some of which follow other variables. */
export function withDefaults(
  raw: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw))
    if (value !== undefined && value.trim() !== '') given[name] = value;
  const values = {
    ...DEFAULTS,
    ...(given.NODE_ENV === 'production' ? PRODUCTION_DEFAULTS : {}),
    ...given,
  };
  values.VALIDATOR_ALG ??= values.SIGNER_ALG ?? '';
  values.SIGNER_ISSUER ??= (values.VALIDATOR_ISSUER ?? '').split(',', 1)[0]?.trim() ?? '';
  return values;
}
