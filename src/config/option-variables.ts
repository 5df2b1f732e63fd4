import type { Environment } from '../environment/index.js';

type Name = keyof Environment;

/** By option: the variable that sets it, or the variables that do so together. */
type Variables = Readonly<Record<string, Name | readonly Name[]>>;

/**
 * The variables that set the options, by module. Messages of the library name options; an operator of the gateway knows
 * the variables.
 */
export const OPTION_VARIABLES: Readonly<Record<string, Variables>> = {
  BackendModule: {
    host: 'BACKEND_HOST',
    timeoutMs: 'BACKEND_TIMEOUT_MS',
    maxBodyBytes: 'BACKEND_MAX_BODY',
    maxRequestBytes: 'BODY_LIMIT',
    inputHeaders: 'BACKEND_INPUT_HEADERS',
    inputQueryStrings: 'BACKEND_INPUT_QUERY_STRINGS',
    hop: 'BACKEND_TOKEN',
    'hop.audience': 'BACKEND_TOKEN_AUDIENCE',
    'hop.ttl': 'BACKEND_TOKEN_TTL',
    forwarded: 'BACKEND_FORWARDED',
  },
  JwksModule: {
    signing: ['SIGNER_JWK_LOCAL_PATH', 'SIGNER_JWK_URL'],
    verification: ['VALIDATOR_JWK_LOCAL_PATH', 'VALIDATOR_JWK_URL'],
    identifyStrategy: 'VALIDATOR_KEY_IDENTIFY_STRATEGY',
    passphrase: ['KEY_PASSPHRASE', 'KEY_PASSPHRASE_FILE'],
    reloadIntervalMs: 'KEY_RELOAD_INTERVAL_MS',
    'remote.cacheTtl': 'VALIDATOR_JWK_CACHE_TTL',
    'remote.cooldown': 'VALIDATOR_JWK_COOLDOWN',
    'remote.allowHttp': 'DISABLE_JWK_SECURITY',
    'remote.httpHosts': 'JWK_HTTP_HOSTS',
    'remote.fingerprints': 'VALIDATOR_JWK_FINGERPRINTS',
    'remote.ca': 'VALIDATOR_JWK_LOCAL_CA',
    'remote.proxy': ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
    exposedKeyFiles: ['DISABLE_JWK_SECURITY', 'NODE_ENV'],
    createMissing: ['NODE_ENV', 'SIGNER_JWK_LOCAL_PATH', 'SIGNER_ALG', 'SIGNER_KID'],
  },
  SigningModule: {
    alg: 'SIGNER_ALG',
    kid: 'SIGNER_KID',
    fields: 'SIGNER_KEYS_TO_SIGN',
    requireAllFields: 'SIGNER_REQUIRE_ALL_KEYS',
    typ: 'SIGNER_TYP',
    refreshTyp: 'SIGNER_REFRESH_TYP',
    full: 'SIGNER_FULL',
    issuer: 'SIGNER_ISSUER',
    audience: 'SIGNER_AUDIENCE',
    refreshAudience: 'SIGNER_REFRESH_AUDIENCE',
    accessTtl: 'SIGNER_ACCESS_TTL',
    refreshTtl: 'SIGNER_REFRESH_TTL',
    staleExp: 'SIGNER_STALE_EXP',
    maxTokenLength: 'VALIDATOR_MAX_TOKEN_LENGTH',
  },
  AuthModule: {
    algorithms: ['VALIDATOR_ALG', 'SIGNER_ALG'],
    issuer: 'VALIDATOR_ISSUER',
    issuers: [
      'VALIDATOR_ISSUER',
      'VALIDATOR_DISCOVERY',
      'SIGNER_ISSUER',
      'VALIDATOR_JWK_URL',
      'VALIDATOR_JWK_LOCAL_PATH',
    ],
    audience: 'VALIDATOR_AUDIENCE',
    audienceMatcher: 'VALIDATOR_AUDIENCE_MATCHER',
    audienceClaim: 'VALIDATOR_AUDIENCE_CLAIM',
    profile: 'VALIDATOR_PROFILE',
    maxTokenLength: 'VALIDATOR_MAX_TOKEN_LENGTH',
    rolesKey: 'VALIDATOR_ROLES_KEY',
    rolesKeyIsNested: 'VALIDATOR_ROLES_KEY_IS_NESTED',
    rolesMatcher: 'VALIDATOR_ROLES_MATCHER',
    scopesKey: 'VALIDATOR_SCOPES_KEY',
    scopesMatcher: 'VALIDATOR_SCOPES_MATCHER',
    requiredClaims: 'VALIDATOR_REQUIRED_CLAIMS',
    types: 'VALIDATOR_TYP',
    full: 'SIGNER_FULL',
    idTokens: 'VALIDATOR_ID_TOKENS',
    cookieKey: 'VALIDATOR_COOKIE_KEY',
    authHeaderName: 'VALIDATOR_AUTH_HEADER_NAME',
    leeway: 'VALIDATOR_LEEWAY',
    propagateClaims: 'VALIDATOR_PROPAGATE_CLAIMS',
    adminRoles: 'ADMIN_ROLES',
    signatureCache: 'VALIDATOR_SIGNATURE_CACHE',
    publicUrl: 'PUBLIC_URL',
    trustedOrigins: 'CORS_ORIGINS',
    dpop: 'DPOP',
    dpopNonce: 'DPOP_NONCE',
    mtlsHeader: 'VALIDATOR_MTLS_HEADER',
    introspection: 'VALIDATOR_INTROSPECTION_URL',
    'introspection.url': 'VALIDATOR_INTROSPECTION_URL',
    'introspection.clientFile': 'VALIDATOR_INTROSPECTION_CLIENT_FILE',
    'introspection.tokens': 'VALIDATOR_INTROSPECTION_TOKENS',
    'introspection.cacheTtl': 'VALIDATOR_INTROSPECTION_CACHE_TTL',
  },
  StateModule: {
    url: 'STATE_STORE',
    exposedFiles: ['DISABLE_JWK_SECURITY', 'NODE_ENV'],
    leeway: 'VALIDATOR_LEEWAY',
    longestTokenTtl: ['SIGNER_ACCESS_TTL', 'SIGNER_REFRESH_TTL'],
  },
  MetricsModule: {
    host: 'MANAGEMENT_HOST',
    port: 'MANAGEMENT_PORT',
    optional: ['MANAGEMENT_PORT', 'NODE_ENV'],
  },
  TokenModule: {
    method: 'TOKEN_BACKEND_METHOD',
    path: 'TOKEN_BACKEND_PATH',
    errors: 'TOKEN_BACKEND_ERRORS',
  },
  OAuthModule: {
    refresh: 'REFRESH_BACKEND_PATH',
    'refresh.path': 'REFRESH_BACKEND_PATH',
    'refresh.retryWindow': 'REFRESH_RETRY_WINDOW',
    'refresh.absoluteTtl': 'REFRESH_ABSOLUTE_TTL',
  },
  SessionModule: {
    alg: 'SIGNER_ALG',
    issuer: 'SIGNER_ISSUER',
    refreshTyp: 'SIGNER_REFRESH_TYP',
    cookies: 'SESSION_COOKIES',
    publicUrl: 'PUBLIC_URL',
    trustedOrigins: 'CORS_ORIGINS',
  },
  SessionListModule: { limit: 'SESSION_LIMIT', absoluteTtl: 'REFRESH_ABSOLUTE_TTL' },
  ClientsModule: {
    path: 'CLIENTS_FILE',
    issuer: 'SIGNER_ISSUER',
    publicUrl: 'PUBLIC_URL',
    leeway: 'VALIDATOR_LEEWAY',
    exposedFiles: ['DISABLE_JWK_SECURITY', 'NODE_ENV'],
    reloadIntervalMs: 'KEY_RELOAD_INTERVAL_MS',
  },
  IntrospectionModule: { roles: ['INTROSPECTION_ROLES', 'ADMIN_ROLES'] },
  PrivateModule: { path: 'PRIVATE_BACKEND_PATH' },
  TracingModule: { endpoint: 'OTEL_EXPORTER_OTLP_ENDPOINT' },
  WellKnownModule: {
    publicUrl: 'PUBLIC_URL',
    issuer: 'SIGNER_ISSUER',
    grants: ['TOKEN_BACKEND_GRANTS', 'REFRESH_BACKEND_PATH'],
    authMethods: ['TOKEN_BACKEND_AUTH_METHODS', 'TOKEN_BACKEND_METHOD', 'CLIENTS_FILE'],
    introspection: ['INTROSPECTION_ROLES', 'ADMIN_ROLES', 'CLIENTS_FILE'],
    revocation: 'CLIENTS_FILE',
    docs: 'SWAGGER_ENABLED',
    dpopAlgorithms: 'DPOP',
  },
  ThrottleModule: {
    limit: 'THROTTLE_LIMIT',
    ttlMs: 'THROTTLE_TTL_MS',
    shared: ['WORKERS', 'STATE_STORE'],
  },
};

const OPTION = /\bthe option ([\w.]*\w) of (\w+Module)\b/g;

/**
 * Replaces the options in a message of the library by variables. A message may name a member of an option alone: `ca`
 * for `remote.ca`.
 *
 * @example "'admin' needs the option adminRoles of AuthModule" becomes "'admin' needs ADMIN_ROLES"
 */
export const withVariableNames = (message: string): string =>
  // Most refusals name no option.
  message.includes('the option ')
    ? message.replaceAll(OPTION, (text: string, option: string, module: string) => {
        const [, variables] =
          Object.entries(OPTION_VARIABLES[module] ?? {}).find(
            ([name]) => name === option || name.endsWith(`.${option}`),
          ) ?? [];
        return variables === undefined ? text : [variables].flat().join(' or ');
      })
    : message;
