import type { AuthModuleOptions } from '../auth/index.js';
import type { BackendModuleOptions } from '../backend/index.js';
import type { ClientsModuleOptions } from '../clients/index.js';
import { CLIENT_AUTH_METHODS, isConfidential } from '../core/clients/index.js';
import { AUTO_KID, type KeySource } from '../core/keys/index.js';
import { isAsymmetric } from '../core/jws/index.js';
import { DPOP_ALGORITHMS, parseClaimHeaders, type IssuerOptions } from '../core/verify/index.js';
import {
  foreignIssuers,
  mayCreateKeyFile,
  readSecretFile,
  type Environment,
} from '../environment/index.js';
import type { CorsOptions } from '../http/index.js';
import type { JwksModuleOptions } from '../jwks/index.js';
import { DEFAULT_MANAGEMENT_PORT, type ManagementOptions } from '../management/index.js';
import type { PagesModuleOptions } from '../pages/index.js';
import type { PrivateModuleOptions } from '../private/index.js';
import type { SessionListModuleOptions, SessionModuleOptions } from '../session/index.js';
import type { SigningModuleOptions } from '../signing/index.js';
import type { StateModuleOptions } from '../state/index.js';
import type { ThrottleModuleOptions } from '../throttle/index.js';
import type {
  IntrospectionModuleOptions,
  OAuthModuleOptions,
  TokenModuleOptions,
} from '../token/index.js';
import type { TracingModuleOptions } from '../tracing/index.js';
import type { WellKnownModuleOptions } from '../well-known/index.js';

/*
 * Converts the environment to the options of the modules, one function per module. They are pure functions, and nothing
 * here loads Nest: the primary of a cluster and the command use them, too. `AppModule` hands the options to the
 * modules.
 */

/** An environment with a backend. In development without `BACKEND_HOST` it is the demo backend. */
export type GatewayEnvironment = Environment & {
  BACKEND_HOST: string;
  /** True: `BACKEND_HOST` is the demo backend. */
  demo?: boolean;
};

/** Key id of the key that is created in development. */
const DEVELOPMENT_KID = 'sim2';

export const backendOptions = (env: GatewayEnvironment): BackendModuleOptions => ({
  host: env.BACKEND_HOST.split(',').map((url) => url.trim()),
  forwarded: env.BACKEND_FORWARDED,
  hop: env.BACKEND_TOKEN === 'on' && {
    audience: env.BACKEND_TOKEN_AUDIENCE,
    ttl: env.BACKEND_TOKEN_TTL,
  },
  timeoutMs: env.BACKEND_TIMEOUT_MS,
  maxBodyBytes: env.BACKEND_MAX_BODY,
  maxRequestBytes: env.BODY_LIMIT,
  inputHeaders: env.BACKEND_INPUT_HEADERS,
  inputQueryStrings: env.BACKEND_INPUT_QUERY_STRINGS,
});

/** @throws BootError when a file that a variable names cannot be read */
export const jwksOptions = (env: Environment): JwksModuleOptions => ({
  signing:
    env.SIGNER_JWK_URL === undefined
      ? { path: env.SIGNER_JWK_LOCAL_PATH }
      : { url: env.SIGNER_JWK_URL },
  // With other issuers these keys are theirs, see issuerOptions.
  verification: foreignIssuers(env).length > 0 ? undefined : verificationSource(env),
  identifyStrategy: env.VALIDATOR_KEY_IDENTIFY_STRATEGY,
  passphrase: env.KEY_PASSPHRASE ?? readSecretFile('KEY_PASSPHRASE_FILE', env.KEY_PASSPHRASE_FILE),
  reloadIntervalMs: env.KEY_RELOAD_INTERVAL_MS,
  remote: {
    cacheTtl: env.VALIDATOR_JWK_CACHE_TTL,
    cooldown: env.VALIDATOR_JWK_COOLDOWN,
    allowHttp: env.DISABLE_JWK_SECURITY,
    httpHosts: env.JWK_HTTP_HOSTS,
    fingerprints: env.VALIDATOR_JWK_FINGERPRINTS.map(toBase64url),
    ca: readSecretFile('VALIDATOR_JWK_LOCAL_CA', env.VALIDATOR_JWK_LOCAL_CA),
    proxy: { http: env.HTTP_PROXY, https: env.HTTPS_PROXY, no: env.NO_PROXY },
  },
  exposedKeyFiles: exposedFiles(env),
  createMissing: mayCreateKeyFile(env)
    ? {
        alg: env.SIGNER_ALG,
        kid: env.SIGNER_KID === AUTO_KID ? DEVELOPMENT_KID : env.SIGNER_KID,
      }
    : undefined,
});

/** What happens with a secret file that other users of the machine can read or change. */
const exposedFiles = (env: Environment): 'warn' | 'refuse' | 'allow' =>
  env.NODE_ENV === 'production' ? 'refuse' : env.DISABLE_JWK_SECURITY ? 'allow' : 'warn';

function verificationSource(env: Environment): KeySource | undefined {
  if (env.VALIDATOR_JWK_URL !== undefined) return { url: env.VALIDATOR_JWK_URL };
  return env.VALIDATOR_JWK_LOCAL_PATH === undefined
    ? undefined
    : { path: env.VALIDATOR_JWK_LOCAL_PATH };
}

/** Converts a pin, which is often written in plain base64. */
const toBase64url = (pin: string): string =>
  pin.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_');

export const signingOptions = (env: Environment): SigningModuleOptions => ({
  alg: env.SIGNER_ALG,
  kid: env.SIGNER_KID,
  fields: env.SIGNER_KEYS_TO_SIGN,
  requireAllFields: env.SIGNER_REQUIRE_ALL_KEYS,
  typ: env.SIGNER_TYP,
  refreshTyp: env.SIGNER_REFRESH_TYP,
  full: env.SIGNER_FULL,
  issuer: env.SIGNER_ISSUER,
  audience: env.SIGNER_AUDIENCE,
  refreshAudience: env.SIGNER_REFRESH_AUDIENCE,
  accessTtl: env.SIGNER_ACCESS_TTL,
  refreshTtl: env.SIGNER_REFRESH_TTL,
  staleExp: env.SIGNER_STALE_EXP,
  maxTokenLength: env.VALIDATOR_MAX_TOKEN_LENGTH,
});

/** The accepted issuers with their keys; `undefined` where all tokens are our own, and none are introspected. */
function issuerOptions(env: Environment): IssuerOptions[] | undefined {
  const others = foreignIssuers(env);
  if (others.length === 0 && env.VALIDATOR_INTROSPECTION_URL === undefined) return undefined;
  const keys = verificationSource(env);
  const algorithms = env.VALIDATOR_ALG?.filter(isAsymmetric);
  const ours = new Set(env.VALIDATOR_ISSUER).difference(new Set(others));
  return [
    ...[...ours].map((issuer) => ({ issuer, own: true })),
    ...others.map((issuer) => ({ issuer, keys, algorithms })),
  ];
}

export const authOptions = (env: Environment): AuthModuleOptions => ({
  algorithms: env.VALIDATOR_ALG ?? [env.SIGNER_ALG],
  issuer: env.VALIDATOR_ISSUER,
  issuers: issuerOptions(env),
  audience: env.VALIDATOR_AUDIENCE,
  audienceMatcher: env.VALIDATOR_AUDIENCE_MATCHER,
  audienceClaim: env.VALIDATOR_AUDIENCE_CLAIM,
  // Our own tokens always have the claims of the profile. With the signer's keys all tokens are our own.
  profile:
    verificationSource(env) === undefined && foreignIssuers(env).length === 0
      ? 'rfc9068'
      : env.VALIDATOR_PROFILE,
  maxTokenLength: env.VALIDATOR_MAX_TOKEN_LENGTH,
  rolesKey: env.VALIDATOR_ROLES_KEY,
  rolesKeyIsNested: env.VALIDATOR_ROLES_KEY_IS_NESTED,
  rolesMatcher: env.VALIDATOR_ROLES_MATCHER,
  scopesKey: env.VALIDATOR_SCOPES_KEY,
  scopesMatcher: env.VALIDATOR_SCOPES_MATCHER,
  requiredClaims: env.VALIDATOR_REQUIRED_CLAIMS,
  types: env.VALIDATOR_TYP,
  full: env.SIGNER_FULL,
  idTokens: env.VALIDATOR_ID_TOKENS,
  cookieKey: env.VALIDATOR_COOKIE_KEY,
  authHeaderName: env.VALIDATOR_AUTH_HEADER_NAME,
  leeway: env.VALIDATOR_LEEWAY,
  propagateClaims: parseClaimHeaders(env.VALIDATOR_PROPAGATE_CLAIMS),
  adminRoles: env.ADMIN_ROLES,
  signatureCache: env.VALIDATOR_SIGNATURE_CACHE,
  publicUrl: env.PUBLIC_URL,
  trustedOrigins: trustedOrigins(env),
  dpop: { off: false, supported: true, required: 'required' as const }[env.DPOP],
  dpopNonce: env.DPOP_NONCE,
  mtlsHeader: env.VALIDATOR_MTLS_HEADER,
  introspection:
    env.VALIDATOR_INTROSPECTION_URL === undefined
      ? undefined
      : {
          url: env.VALIDATOR_INTROSPECTION_URL,
          clientFile: env.VALIDATOR_INTROSPECTION_CLIENT_FILE,
          tokens: env.VALIDATOR_INTROSPECTION_TOKENS,
          cacheTtl: env.VALIDATOR_INTROSPECTION_CACHE_TTL,
        },
});

export const stateOptions = (env: Environment): StateModuleOptions & { url: string } => ({
  url: env.STATE_STORE,
  exposedFiles: exposedFiles(env),
  leeway: env.VALIDATOR_LEEWAY,
  longestTokenTtl: Math.max(env.SIGNER_ACCESS_TTL, env.SIGNER_REFRESH_TTL),
});

export const metricsOptions = ({
  MANAGEMENT_HOST: host,
  MANAGEMENT_PORT: port,
  NODE_ENV,
}: Environment): ManagementOptions => ({
  host,
  port: port === 'off' ? undefined : (port ?? DEFAULT_MANAGEMENT_PORT),
  // The default port may be in use by a second gateway on a developer's machine.
  optional: NODE_ENV !== 'production' && port === undefined,
});

export const tokenOptions = (env: Environment): TokenModuleOptions => ({
  method: env.TOKEN_BACKEND_METHOD,
  path: env.TOKEN_BACKEND_PATH,
  errors: env.TOKEN_BACKEND_ERRORS,
});

export const pagesOptions = (env: GatewayEnvironment): PagesModuleOptions => ({
  demo: env.demo === true,
  docs: env.SWAGGER_ENABLED,
});

export const oauthOptions = (env: Environment): OAuthModuleOptions => ({
  refresh:
    env.REFRESH_BACKEND_PATH === undefined
      ? undefined
      : {
          path: env.REFRESH_BACKEND_PATH,
          retryWindow: env.REFRESH_RETRY_WINDOW,
          absoluteTtl: env.REFRESH_ABSOLUTE_TTL,
        },
});

export const sessionOptions = (env: Environment): SessionModuleOptions => ({
  alg: env.SIGNER_ALG,
  issuer: env.SIGNER_ISSUER,
  refreshTyp: env.SIGNER_REFRESH_TYP,
  cookies: env.SESSION_COOKIES,
  publicUrl: env.PUBLIC_URL,
  trustedOrigins: trustedOrigins(env),
});

/** `undefined` where sessions are neither listed nor limited. */
export const sessionListOptions = (env: Environment): SessionListModuleOptions | undefined =>
  env.SESSION_LIST || env.SESSION_LIMIT > 0
    ? {
        limit: env.SESSION_LIMIT === 0 ? undefined : env.SESSION_LIMIT,
        absoluteTtl: env.REFRESH_ABSOLUTE_TTL,
      }
    : undefined;

/** The origins whose pages may use cookies. */
const trustedOrigins = ({ CORS_ORIGINS: origins }: Environment): string[] =>
  origins.filter((origin) => origin !== '*');

/** `undefined` where pages of other origins can read only the public documents. */
export const corsOptions = (env: Environment): CorsOptions | undefined =>
  env.CORS_ORIGINS.length === 0
    ? undefined
    : {
        origins: env.CORS_ORIGINS.includes('*') ? '*' : trustedOrigins(env),
        credentials: env.SESSION_COOKIES || env.VALIDATOR_COOKIE_KEY !== undefined,
      };

/** `undefined` where the login service authenticates clients. */
export const clientsOptions = (env: Environment): ClientsModuleOptions | undefined =>
  env.CLIENTS_FILE === undefined
    ? undefined
    : {
        path: env.CLIENTS_FILE,
        issuer: env.SIGNER_ISSUER,
        publicUrl: env.PUBLIC_URL,
        leeway: env.VALIDATOR_LEEWAY,
        exposedFiles: exposedFiles(env),
        reloadIntervalMs: env.KEY_RELOAD_INTERVAL_MS,
      };

/** `undefined` where `POST /token/introspect` is off: neither roles nor clients are configured. */
export function introspectionOptions(env: Environment): IntrospectionModuleOptions | undefined {
  const roles = env.INTROSPECTION_ROLES.length > 0 ? env.INTROSPECTION_ROLES : env.ADMIN_ROLES;
  return roles.length > 0 || env.CLIENTS_FILE !== undefined ? { roles } : undefined;
}

export const privateOptions = (env: Environment): PrivateModuleOptions => ({
  path: env.PRIVATE_BACKEND_PATH,
});

export const wellKnownOptions = (env: Environment): WellKnownModuleOptions => ({
  publicUrl:
    env.PUBLIC_URL ?? (env.NODE_ENV === 'production' ? urlOf(env.SIGNER_ISSUER) : undefined),
  issuer: env.SIGNER_ISSUER,
  grants: [
    ...env.TOKEN_BACKEND_GRANTS,
    ...(env.REFRESH_BACKEND_PATH === undefined ? [] : ['refresh_token']),
  ],
  authMethods: env.CLIENTS_FILE === undefined ? loginMethods(env) : CLIENT_AUTH_METHODS,
  revocation: env.CLIENTS_FILE === undefined ? undefined : CLIENT_AUTH_METHODS,
  introspection: introspectionMethods(env),
  docs: env.SWAGGER_ENABLED,
  dpopAlgorithms: env.DPOP === 'off' ? undefined : DPOP_ALGORITHMS,
});

/** Returns the issuer if it is a URL: in production without `PUBLIC_URL`, clients fetch the metadata from there. */
const urlOf = (issuer: string): string | undefined =>
  /^https?:$/.test(URL.parse(issuer)?.protocol ?? '') ? issuer : undefined;

/** With `GET`, the login service gets no body, so it cannot get a secret in a body. */
const loginMethods = (env: Environment): string[] =>
  env.TOKEN_BACKEND_AUTH_METHODS.filter(
    (method) => env.TOKEN_BACKEND_METHOD !== 'GET' || method !== 'client_secret_post',
  );

/** The token types that the endpoint accepts (RFC 8414 section 2), and the methods of client authentication. */
function introspectionMethods(env: Environment): string[] {
  const schemes = { off: ['Bearer'], supported: ['Bearer', 'DPoP'], required: ['DPoP'] }[env.DPOP];
  const methods = CLIENT_AUTH_METHODS.filter((method) => isConfidential({ method }));
  return [
    ...((introspectionOptions(env)?.roles.length ?? 0) > 0 ? schemes : []),
    ...(env.CLIENTS_FILE === undefined ? [] : methods),
  ];
}

export const tracingOptions = ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
}: Environment): TracingModuleOptions | undefined =>
  endpoint === undefined ? undefined : { endpoint };

export const throttleOptions = (env: Environment): ThrottleModuleOptions => ({
  limit: env.THROTTLE_LIMIT,
  ttlMs: env.THROTTLE_TTL_MS,
  // Redis and PostgreSQL serve several machines.
  shared: env.WORKERS !== 1 || /^(?:redis|postgres)/.test(env.STATE_STORE),
});
