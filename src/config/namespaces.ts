import { registerAs } from '@nestjs/config';
import type { AuthModuleOptions } from '../auth/index.js';
import { parseClaimHeaders } from '../core/verify/index.js';
import type { BackendModuleOptions } from '../backend/index.js';
import type { KeySource } from '../core/keys/index.js';
import type { JwksModuleOptions } from '../jwks/index.js';
import type { MetricsModuleOptions } from '../metrics/index.js';
import type { OAuthModuleOptions, TokenModuleOptions } from '../token/index.js';
import type { SessionModuleOptions } from '../session/index.js';
import type { PrivateModuleOptions } from '../private/index.js';
import type { SigningModuleOptions } from '../signing/index.js';
import type { StateModuleOptions } from '../state/index.js';
import type { ThrottleOptions } from '../throttle/index.js';
import type { WellKnownModuleOptions } from '../well-known/index.js';
import {
  mayCreateKeyFile,
  type Environment,
  readEnvironment,
  readSecretFile,
} from '../environment/index.js';

/** The environment as options of `BackendModule`; `host` is undefined where the demo backend serves. */
export const backendConfig = registerAs(
  'backend',
  (): Omit<BackendModuleOptions, 'host'> & { host?: string } => {
    const env = readEnvironment();
    return {
      host: env.BACKEND_HOST,
      timeoutMs: env.BACKEND_TIMEOUT_MS,
      maxBodyBytes: env.BACKEND_MAX_BODY,
      inputHeaders: env.BACKEND_INPUT_HEADERS,
      inputQueryStrings: env.BACKEND_INPUT_QUERY_STRINGS,
    };
  },
);

/** The environment as options of `JwksModule`. */
export const jwksOptions = (env: Environment): JwksModuleOptions => ({
  signing:
    env.SIGNER_JWK_URL === undefined
      ? { path: env.SIGNER_JWK_LOCAL_PATH }
      : { url: env.SIGNER_JWK_URL },
  verification: verificationSource(env),
  identifyStrategy: env.VALIDATOR_KEY_IDENTIFY_STRATEGY,
  passphrase: env.KEY_PASSPHRASE ?? readSecretFile('KEY_PASSPHRASE_FILE', env.KEY_PASSPHRASE_FILE),
  reloadIntervalMs: env.KEY_RELOAD_INTERVAL_MS,
  remote: {
    cacheTtl: env.VALIDATOR_JWK_CACHE_TTL,
    cooldown: env.VALIDATOR_JWK_COOLDOWN,
    allowHttp: env.DISABLE_JWK_SECURITY,
    fingerprints: env.VALIDATOR_JWK_FINGERPRINTS.map(toBase64url),
    ca: readSecretFile('VALIDATOR_JWK_LOCAL_CA', env.VALIDATOR_JWK_LOCAL_CA),
  },
  exposedKeyFiles:
    env.NODE_ENV === 'production' ? 'refuse' : env.DISABLE_JWK_SECURITY ? 'allow' : 'warn',
  createMissing: mayCreateKeyFile(env) ? { alg: env.SIGNER_ALG, kid: env.SIGNER_KID } : undefined,
});
export const jwksConfig = registerAs('jwks', () => jwksOptions(readEnvironment()));

function verificationSource(env: Environment): KeySource | undefined {
  if (env.VALIDATOR_JWK_URL !== undefined) return { url: env.VALIDATOR_JWK_URL };
  return env.VALIDATOR_JWK_LOCAL_PATH === undefined
    ? undefined
    : { path: env.VALIDATOR_JWK_LOCAL_PATH };
}

/** Pins are often written in plain base64. */
const toBase64url = (pin: string): string =>
  pin.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_');

/** The environment as options of `SigningModule`. */
export const signingConfig = registerAs('signing', (): SigningModuleOptions => {
  const env = readEnvironment();
  return {
    alg: env.SIGNER_ALG,
    kid: env.SIGNER_KID,
    fields: env.SIGNER_KEYS_TO_SIGN,
    requireAllFields: env.SIGNER_REQUIRE_ALL_KEYS,
    typ: env.SIGNER_TYP,
    refreshTyp: env.SIGNER_REFRESH_TYP,
    full: env.SIGNER_FULL,
    issuer: env.SIGNER_ISSUER,
    accessTtl: env.SIGNER_ACCESS_TTL,
    refreshTtl: env.SIGNER_REFRESH_TTL,
    staleExp: env.SIGNER_STALE_EXP,
  };
});

/** The environment as options of `AuthModule`. */
export const authOptions = (env: Environment): AuthModuleOptions => ({
  algorithms: env.VALIDATOR_ALG,
  issuer: env.VALIDATOR_ISSUER,
  audience: env.VALIDATOR_AUDIENCE,
  audienceMatcher: env.VALIDATOR_AUDIENCE_MATCHER,
  rolesKey: env.VALIDATOR_ROLES_KEY,
  rolesKeyIsNested: env.VALIDATOR_ROLES_KEY_IS_NESTED,
  rolesMatcher: env.VALIDATOR_ROLES_MATCHER,
  scopesKey: env.VALIDATOR_SCOPES_KEY,
  scopesMatcher: env.VALIDATOR_SCOPES_MATCHER,
  requiredClaims: env.VALIDATOR_REQUIRED_CLAIMS,
  types: env.VALIDATOR_TYP,
  cookieKey: env.VALIDATOR_COOKIE_KEY,
  authHeaderName: env.VALIDATOR_AUTH_HEADER_NAME,
  leeway: env.VALIDATOR_LEEWAY,
  propagateClaims: parseClaimHeaders(env.VALIDATOR_PROPAGATE_CLAIMS),
  adminRoles: env.ADMIN_ROLES,
  signatureCache: env.VALIDATOR_SIGNATURE_CACHE,
  publicUrl: env.PUBLIC_URL,
});
export const authConfig = registerAs('auth', () => authOptions(readEnvironment()));

/** The environment as options of `StateModule`. */
export const stateOptions = (env: Environment): StateModuleOptions => ({
  url: env.STATE_STORE,
  longestTokenTtl: Math.max(env.SIGNER_ACCESS_TTL, env.SIGNER_REFRESH_TTL),
});
export const stateConfig = registerAs('state', () => stateOptions(readEnvironment()));

/** The environment as options of `MetricsModule`. */
export const metricsConfig = registerAs('metrics', (): MetricsModuleOptions => {
  const { HOST, MANAGEMENT_PORT, NODE_ENV } = readEnvironment();
  return {
    host: HOST,
    port: MANAGEMENT_PORT === 'off' ? undefined : Number(MANAGEMENT_PORT),
    // A second gateway on a developer's machine should not fail for a port nobody asked for.
    optional: NODE_ENV !== 'production' && !process.env.MANAGEMENT_PORT,
  };
});

/** The environment as options of `TokenModule`. */
export const tokenConfig = registerAs('token', (): TokenModuleOptions => {
  const env = readEnvironment();
  return { method: env.TOKEN_BACKEND_METHOD, path: env.TOKEN_BACKEND_PATH };
});

/** The environment as options of `OAuthModule`. */
export const oauthConfig = registerAs('oauth', (): OAuthModuleOptions => {
  const env = readEnvironment();
  return {
    refresh:
      env.REFRESH_BACKEND_PATH === undefined
        ? undefined
        : {
            path: env.REFRESH_BACKEND_PATH,
            retryWindow: env.REFRESH_RETRY_WINDOW,
            absoluteTtl: env.REFRESH_ABSOLUTE_TTL,
          },
  };
});

/** The environment as options of `SessionModule`. */
export const sessionConfig = registerAs('session', (): SessionModuleOptions => {
  const env = readEnvironment();
  return {
    alg: env.SIGNER_ALG,
    issuer: env.SIGNER_ISSUER,
    refreshTyp: env.SIGNER_REFRESH_TYP,
    cookies: env.SESSION_COOKIES,
    publicUrl: env.PUBLIC_URL,
  };
});

/** The environment as options of `PrivateModule`. */
export const privateConfig = registerAs('private', (): PrivateModuleOptions => ({
  path: readEnvironment().PRIVATE_BACKEND_PATH,
}));

/** The environment as options of `WellKnownModule`. */
export const wellKnownConfig = registerAs('wellKnown', (): WellKnownModuleOptions => {
  const env = readEnvironment();
  return {
    publicUrl: env.PUBLIC_URL,
    issuer: env.SIGNER_ISSUER,
    refresh: env.REFRESH_BACKEND_PATH !== undefined,
    introspection: env.ADMIN_ROLES.length > 0,
    basicAuth: env.BACKEND_INPUT_HEADERS.some((name) => /^authorization$/i.test(name)),
    docs: env.SWAGGER_ENABLED,
  };
});

/** The environment as options of the limit on token requests. */
export const throttleConfig = registerAs('throttle', (): ThrottleOptions => {
  const { THROTTLE_LIMIT, THROTTLE_TTL_MS, WORKERS, STATE_STORE } = readEnvironment();
  return {
    limit: THROTTLE_LIMIT,
    ttlMs: THROTTLE_TTL_MS,
    // Redis is there for several machines.
    shared: WORKERS !== '1' || STATE_STORE.startsWith('redis'),
  };
});
