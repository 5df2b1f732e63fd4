import { CLIENT_AUTH_METHODS } from '../core/clients/index.js';
import { JWS_ALGORITHMS, type JwsAlgorithm } from '../core/jws/index.js';
import {
  RELOAD_INTERVAL_MS,
  STANDARD_REFRESH,
  type KeyIdentifyStrategy,
} from '../core/keys/index.js';
import { LONGEST_LEEWAY } from '../core/revocation/index.js';
import { STANDARD_SIGNING, type StaleExpPolicy } from '../core/sign/index.js';
import {
  SIGNATURE_CACHE_SIZE,
  STANDARD_INTROSPECTION,
  STANDARD_POLICY,
  type Matcher,
  type TokenProfile,
} from '../core/verify/index.js';
import { Bytes, Choice, ChoiceList, Flag, Int, List, Secret, Text } from './fields.js';
import {
  DocumentUrl,
  HttpUrl,
  HttpUrls,
  HttpUrlWithQuery,
  NoProxy,
  Origins,
  ProxyUrl,
  TrustProxy,
} from './network-fields.js';

const ADDRESS = /^[\w.:%-]+$/;
/** The loopback address: other machines cannot reach a listener on it. */
const LOOPBACK = '127.0.0.1';
const CLAIM_NAME = /^[^\s,]+$/;
const HEADER_NAME = /^[\w!#$%&'+.^`|~-]+$/;
const PATH = /^\/[!-~]*$/;
const FILE = /^[^\0]+$/;
const TYP = /^[\w.+/-]+$/;
const MATCHERS = ['any', 'all'];
/** Methods of client authentication that the login service can check (RFC 7591 section 2). */
export const LOGIN_AUTH_METHODS = CLIENT_AUTH_METHODS.filter(
  (method) => method !== 'private_key_jwt',
);
const YEAR = 31_536_000;

/** The key file that is created in development when it is missing. */
export const DEFAULT_KEY_FILE = 'keys/signing.jwks.json';

/**
 * All variables: type, rule, default, and default in production. The order is that of `.env.example` and of
 * docs/configuration.md. A variable that is optional here and has a default there gets it from the module that takes
 * the value, or from another variable.
 */
export class Environment {
  // Process
  @Choice(['development', 'test', 'production'], { default: 'development' }) NODE_ENV!: string;
  @Text(ADDRESS, 'a host name or an IP address', { default: LOOPBACK, production: '0.0.0.0' })
  HOST!: string;
  @Int(0, 65_535, { default: 8080 }) PORT!: number;
  @Text(ADDRESS, 'a host name or an IP address', { default: LOOPBACK }) MANAGEMENT_HOST!: string;
  @Int(0, 65_535, { word: 'off' }) MANAGEMENT_PORT?: number | 'off';
  @Int(1, 999, { word: 'auto', default: 1, production: 'auto' }) WORKERS!: number | 'auto';
  @TrustProxy() TRUST_PROXY?: boolean | number | string[];
  @Origins() CORS_ORIGINS!: string[];
  @Bytes({ default: '16kb' }) BODY_LIMIT!: number;
  @Int(0, 600_000, { default: 0, production: 5000 }) SHUTDOWN_DELAY_MS!: number;
  @Int(0, 600_000, { default: 10_000 }) SHUTDOWN_TIMEOUT_MS!: number;
  @HttpUrl() PUBLIC_URL?: string;

  // Backend
  @HttpUrls() BACKEND_HOST?: string;
  @Int(1, 600_000) BACKEND_TIMEOUT_MS?: number;
  @Bytes() BACKEND_MAX_BODY?: number;
  @List(HEADER_NAME, 'header names (a * is not among them: name what the backend may see)')
  BACKEND_INPUT_HEADERS!: string[];
  @List(/^[^\s,]+$/, 'parameter names') BACKEND_INPUT_QUERY_STRINGS!: string[];
  @Choice(['off', 'on'], { default: 'off' }) BACKEND_TOKEN!: 'off' | 'on';
  /** Unset: the backend's origin. */
  @Text(/^\S+$/, 'a name without blanks') BACKEND_TOKEN_AUDIENCE?: string;
  @Int(2, 3600, { default: 30 }) BACKEND_TOKEN_TTL!: number;
  @Flag({ default: true }) BACKEND_FORWARDED!: boolean;
  @Choice(['GET', 'POST', 'PUT', 'PATCH'], { default: 'POST' }) TOKEN_BACKEND_METHOD!: string;
  @Text(PATH, 'a path that begins with /', { default: '/token.json' }) TOKEN_BACKEND_PATH!: string;
  @Text(PATH, 'a path that begins with /', { default: '/user/1.json' })
  PRIVATE_BACKEND_PATH!: string;
  @Text(PATH, 'a path that begins with /') REFRESH_BACKEND_PATH?: string;
  @Int(0, 60, { default: 10 }) REFRESH_RETRY_WINDOW!: number;
  @Int(1, 10 * YEAR, { default: 7_776_000 }) REFRESH_ABSOLUTE_TTL!: number;
  @Choice(['pass', 'oauth'], { default: 'pass' }) TOKEN_BACKEND_ERRORS!: 'pass' | 'oauth';
  @List(/^[\w.:/+~-]+$/, 'grant types', { default: 'password,client_credentials' })
  TOKEN_BACKEND_GRANTS!: string[];
  @ChoiceList(LOGIN_AUTH_METHODS, { default: LOGIN_AUTH_METHODS.join() })
  TOKEN_BACKEND_AUTH_METHODS!: string[];

  // Signing
  @Choice(JWS_ALGORITHMS, { default: STANDARD_SIGNING.alg }) SIGNER_ALG!: JwsAlgorithm;
  @Text(/^\S{1,256}$/, 'a key id without spaces', { default: STANDARD_SIGNING.kid })
  SIGNER_KID!: string;
  @List(/^[^\s,.]+(\.[^\s,.]+)*$/, 'field names', { default: STANDARD_SIGNING.fields.join() })
  SIGNER_KEYS_TO_SIGN!: string[];
  @Flag() SIGNER_REQUIRE_ALL_KEYS!: boolean;
  @Text(FILE, 'a path', { default: DEFAULT_KEY_FILE }) SIGNER_JWK_LOCAL_PATH!: string;
  @DocumentUrl() SIGNER_JWK_URL?: string;
  @Text(TYP, 'a media type or its last part', { default: STANDARD_SIGNING.typ })
  SIGNER_TYP!: string;
  @Text(TYP, 'a media type or its last part', { default: STANDARD_SIGNING.refreshTyp })
  SIGNER_REFRESH_TYP!: string;
  @Flag() SIGNER_FULL!: boolean;
  /** Unset: `PUBLIC_URL`, or `http://localhost:PORT` if that is unset, too. */
  @Text(/^\S+$/, 'an issuer without spaces') SIGNER_ISSUER!: string;
  /** Unset: the first of `VALIDATOR_AUDIENCE`, if `VALIDATOR_AUDIENCE_CLAIM` is `aud` and it is not `unchecked`. */
  @Text(/^\S+$/, 'an audience without spaces') SIGNER_AUDIENCE?: string;
  @Choice(['issuer', 'keep'], { default: STANDARD_SIGNING.refreshAudience })
  SIGNER_REFRESH_AUDIENCE!: 'issuer' | 'keep';
  @Int(1, 10 * YEAR, { default: STANDARD_SIGNING.accessTtl }) SIGNER_ACCESS_TTL!: number;
  @Int(1, 10 * YEAR, { default: STANDARD_SIGNING.refreshTtl }) SIGNER_REFRESH_TTL!: number;
  @Choice(['reject', 'renew', 'keep'], { default: STANDARD_SIGNING.staleExp })
  SIGNER_STALE_EXP!: StaleExpPolicy;

  // Validation
  /** Unset: `SIGNER_ALG`, and all asymmetric algorithms for other issuers. */
  @ChoiceList(JWS_ALGORITHMS) VALIDATOR_ALG?: JwsAlgorithm[];
  @Text(FILE, 'a path') VALIDATOR_JWK_LOCAL_PATH?: string;
  @DocumentUrl() VALIDATOR_JWK_URL?: string;
  @Int(1, YEAR, { default: STANDARD_REFRESH.cacheTtl }) VALIDATOR_JWK_CACHE_TTL!: number;
  @Int(1, 3600, { default: STANDARD_REFRESH.cooldown }) VALIDATOR_JWK_COOLDOWN!: number;
  @List(/^[\w+/-]{43}=?$/, 'base64url SHA-256 values') VALIDATOR_JWK_FINGERPRINTS!: string[];
  @Text(FILE, 'a path') VALIDATOR_JWK_LOCAL_CA?: string;
  @Choice(['kid', 'x5t', 'x5t#S256', 'kid_x5t'], { default: 'kid' })
  VALIDATOR_KEY_IDENTIFY_STRATEGY!: KeyIdentifyStrategy;
  /** Unset: `SIGNER_ISSUER`. */
  @List(/^\S+$/, 'issuers') VALIDATOR_ISSUER!: string[];
  @Flag({ default: true }) VALIDATOR_DISCOVERY!: boolean;
  @List(/^\S+$/, 'audiences', { default: 'http://api.example.com' }) VALIDATOR_AUDIENCE!: string[];
  @Choice(MATCHERS, { default: STANDARD_POLICY.audienceMatcher })
  VALIDATOR_AUDIENCE_MATCHER!: Matcher;
  @Text(CLAIM_NAME, 'a claim name', { default: STANDARD_POLICY.audienceClaim })
  VALIDATOR_AUDIENCE_CLAIM!: string;
  @Choice(['none', 'rfc9068'], { default: 'none' }) VALIDATOR_PROFILE!: TokenProfile;
  @Int(1024, 131_072, { default: STANDARD_POLICY.maxTokenLength })
  VALIDATOR_MAX_TOKEN_LENGTH!: number;
  @Text(CLAIM_NAME, 'a claim name', { default: STANDARD_POLICY.rolesKey })
  VALIDATOR_ROLES_KEY!: string;
  @Flag() VALIDATOR_ROLES_KEY_IS_NESTED!: boolean;
  @Choice(MATCHERS, { default: STANDARD_POLICY.rolesMatcher }) VALIDATOR_ROLES_MATCHER!: Matcher;
  @Text(CLAIM_NAME, 'a claim name', { default: STANDARD_POLICY.scopesKey })
  VALIDATOR_SCOPES_KEY!: string;
  @Choice(MATCHERS, { default: STANDARD_POLICY.scopesMatcher }) VALIDATOR_SCOPES_MATCHER!: Matcher;
  @List(CLAIM_NAME, 'claim names') VALIDATOR_REQUIRED_CLAIMS!: string[];
  @List(TYP, 'typ values', { default: STANDARD_POLICY.types.join() }) VALIDATOR_TYP!: string[];
  @Flag() VALIDATOR_ID_TOKENS!: boolean;
  @DocumentUrl() VALIDATOR_INTROSPECTION_URL?: string;
  @Text(FILE, 'a path') VALIDATOR_INTROSPECTION_CLIENT_FILE?: string;
  @Choice(['opaque', 'all'], { default: STANDARD_INTROSPECTION.tokens })
  VALIDATOR_INTROSPECTION_TOKENS!: 'opaque' | 'all';
  @Int(0, 3600, { default: STANDARD_INTROSPECTION.cacheTtl })
  VALIDATOR_INTROSPECTION_CACHE_TTL!: number;
  @Text(HEADER_NAME, 'a header name') VALIDATOR_MTLS_HEADER?: string;
  @Text(/^[\w!#$%&'*+.^`|~-]+$/, 'a cookie name') VALIDATOR_COOKIE_KEY?: string;
  @Text(HEADER_NAME, 'a header name', { default: STANDARD_POLICY.authHeaderName })
  VALIDATOR_AUTH_HEADER_NAME!: string;
  @Int(0, LONGEST_LEEWAY, { default: STANDARD_POLICY.leeway }) VALIDATOR_LEEWAY!: number;
  @List(/^[^\s,]+:[\w!#$%&'+.^`|~-]+$/, 'claim:header pairs') VALIDATOR_PROPAGATE_CLAIMS!: string[];
  @Int(0, 1_000_000, { default: SIGNATURE_CACHE_SIZE }) VALIDATOR_SIGNATURE_CACHE!: number;

  // Keys
  @Flag() DISABLE_JWK_SECURITY!: boolean;
  @List(/^(?:[\w.-]+|\[[\da-f:.]+\])$/i, 'host names without ports') JWK_HTTP_HOSTS!: string[];
  @ProxyUrl() HTTP_PROXY?: string;
  @ProxyUrl() HTTPS_PROXY?: string;
  @NoProxy() NO_PROXY?: string;
  @Secret(8) KEY_PASSPHRASE?: string;
  @Text(FILE, 'a path') KEY_PASSPHRASE_FILE?: string;
  @Int(0, 3_600_000, { default: RELOAD_INTERVAL_MS }) KEY_RELOAD_INTERVAL_MS!: number;

  // State and administration
  @Text(
    /^(?:memory:|sqlite:(?!:memory:|file:)[^\0]+|(?:rediss?(?:\+sentinel|\+cluster)?|postgres(?:ql)?):\/\/\S+)$/,
    'sqlite:<file>, redis://…, rediss://…, redis+sentinel://…, rediss+sentinel://…, redis+cluster://…, rediss+cluster://…, postgres://… or, without a file, memory:',
    { default: 'sqlite:data/signet.db' },
  )
  STATE_STORE!: string;
  @List(/^[^\s,]+$/, 'roles') ADMIN_ROLES!: string[];
  /** Unset: `ADMIN_ROLES`. */
  @List(/^[^\s,]+$/, 'roles') INTROSPECTION_ROLES!: string[];
  @Text(FILE, 'a path') CLIENTS_FILE?: string;
  @Choice(['off', 'supported', 'required'], { default: 'supported' })
  DPOP!: 'off' | 'supported' | 'required';
  @Flag() DPOP_NONCE!: boolean;
  @Int(0, 1_000_000_000, { default: 0, production: 300 }) THROTTLE_LIMIT!: number;
  @Int(1000, 86_400_000, { default: 60_000 }) THROTTLE_TTL_MS!: number;
  @Flag() SESSION_COOKIES!: boolean;
  @Flag() SESSION_LIST!: boolean;
  @Int(0, 1000, { default: 0 }) SESSION_LIMIT!: number;

  // What is shown
  @Flag({ default: true, production: false }) ERRORS_EXPLAIN!: boolean;
  @Flag({ default: true, production: false }) SWAGGER_ENABLED!: boolean;
  @Flag() EXPLAIN_PAGE!: boolean;
  @Choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' })
  LOG_LEVEL!: string;
  @Choice(['pretty', 'json'], { default: 'pretty', production: 'json' })
  LOG_FORMAT!: 'pretty' | 'json';
  @HttpUrlWithQuery() OTEL_EXPORTER_OTLP_ENDPOINT?: string;
}
