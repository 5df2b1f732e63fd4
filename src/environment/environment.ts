import { JWS_ALGORITHMS, type JwsAlgorithm } from '../core/jws/index.js';
import type { Matcher } from '../core/verify/index.js';
import type { StaleExpPolicy } from '../core/sign/index.js';
import type { KeyIdentifyStrategy } from '../core/keys/index.js';
import {
  Bytes,
  Choice,
  ChoiceList,
  DocumentUrl,
  Flag,
  HttpUrl,
  Int,
  List,
  Text,
} from './fields.js';

const CLAIM_NAME = /^[^\s,]+$/;
const HEADER_NAME = /^[\w!#$%&'+.^`|~-]+$/;
const PATH = /^\/[!-~]*$/;
const FILE = /^[^\0]+$/;
const TYP = /^[\w.+/-]+$/;
const MATCHERS = ['any', 'all'];
const YEAR = 31_536_000;

/** Every variable that is read, typed and checked. Defaults stand in `defaults.ts`. */
export class Environment {
  @Choice(['development', 'test', 'production']) NODE_ENV!: string;
  @Text(/^[\w.:%-]+$/, 'a host name or an IP address') HOST!: string;
  @Int(0, 65_535) PORT!: number;
  @Text(/^(?:off|\d{1,5})$/, 'a port, or off') MANAGEMENT_PORT!: string;
  @Text(/^(?:auto|[1-9]\d{0,2})$/, 'a number of processes from 1 to 999, or auto') WORKERS!: string;
  @Text(/^[\w.:/, -]+$/, 'true, false, a number of proxies or a comma list of addresses')
  TRUST_PROXY?: string;
  @Bytes() BODY_LIMIT!: number;
  @Int(0, 600_000) SHUTDOWN_DELAY_MS!: number;
  @Int(0, 600_000) SHUTDOWN_TIMEOUT_MS!: number;
  @HttpUrl() PUBLIC_URL?: string;
  @HttpUrl() BACKEND_HOST?: string;
  @Int(1, 600_000) BACKEND_TIMEOUT_MS!: number;
  @Bytes() BACKEND_MAX_BODY!: number;
  @List(HEADER_NAME, 'header names (a * is not among them: name what the backend may see)')
  BACKEND_INPUT_HEADERS!: string[];
  @List(/^[^\s,]+$/, 'parameter names') BACKEND_INPUT_QUERY_STRINGS!: string[];
  @Choice(['GET', 'POST', 'PUT', 'PATCH']) TOKEN_BACKEND_METHOD!: string;
  @Text(PATH, 'a path that begins with /') TOKEN_BACKEND_PATH!: string;
  @Text(PATH, 'a path that begins with /') PRIVATE_BACKEND_PATH!: string;
  @Text(PATH, 'a path that begins with /') REFRESH_BACKEND_PATH?: string;
  @Int(0, 10) REFRESH_RETRY_WINDOW!: number;
  @Int(1, 10 * YEAR) REFRESH_ABSOLUTE_TTL!: number;
  @Choice(JWS_ALGORITHMS) SIGNER_ALG!: JwsAlgorithm;
  @Text(/^\S{1,256}$/, 'a key id without spaces') SIGNER_KID!: string;
  @List(/^[^\s,.]+(\.[^\s,.]+)*$/, 'field names') SIGNER_KEYS_TO_SIGN!: string[];
  @Flag() SIGNER_REQUIRE_ALL_KEYS!: boolean;
  @Text(FILE, 'a path') SIGNER_JWK_LOCAL_PATH!: string;
  @DocumentUrl() SIGNER_JWK_URL?: string;
  @Text(TYP, 'a media type or its last part') SIGNER_TYP!: string;
  @Text(TYP, 'a media type or its last part') SIGNER_REFRESH_TYP!: string;
  @Flag() SIGNER_FULL!: boolean;
  @Text(/^\S+$/, 'an issuer without spaces') SIGNER_ISSUER!: string;
  @Int(1, 10 * YEAR) SIGNER_ACCESS_TTL!: number;
  @Int(1, 10 * YEAR) SIGNER_REFRESH_TTL!: number;
  @Choice(['reject', 'renew', 'keep']) SIGNER_STALE_EXP!: StaleExpPolicy;
  @ChoiceList(JWS_ALGORITHMS) VALIDATOR_ALG!: JwsAlgorithm[];
  @Text(FILE, 'a path') VALIDATOR_JWK_LOCAL_PATH?: string;
  @DocumentUrl() VALIDATOR_JWK_URL?: string;
  @Int(1, YEAR) VALIDATOR_JWK_CACHE_TTL!: number;
  @Int(1, 3600) VALIDATOR_JWK_COOLDOWN!: number;
  @List(/^[\w+/-]{43}=?$/, 'base64url SHA-256 values') VALIDATOR_JWK_FINGERPRINTS!: string[];
  @Text(FILE, 'a path') VALIDATOR_JWK_LOCAL_CA?: string;
  @Choice(['kid', 'x5t', 'x5t#S256', 'kid_x5t'])
  VALIDATOR_KEY_IDENTIFY_STRATEGY!: KeyIdentifyStrategy;
  @List(/^\S+$/, 'issuers') VALIDATOR_ISSUER!: string[];
  @List(/^\S+$/, 'audiences') VALIDATOR_AUDIENCE!: string[];
  @Choice(MATCHERS) VALIDATOR_AUDIENCE_MATCHER!: Matcher;
  @Text(CLAIM_NAME, 'a claim name') VALIDATOR_ROLES_KEY!: string;
  @Flag() VALIDATOR_ROLES_KEY_IS_NESTED!: boolean;
  @Choice(MATCHERS) VALIDATOR_ROLES_MATCHER!: Matcher;
  @Text(CLAIM_NAME, 'a claim name') VALIDATOR_SCOPES_KEY!: string;
  @Choice(MATCHERS) VALIDATOR_SCOPES_MATCHER!: Matcher;
  @List(CLAIM_NAME, 'claim names') VALIDATOR_REQUIRED_CLAIMS!: string[];
  @List(TYP, 'typ values') VALIDATOR_TYP!: string[];
  @Text(/^[\w!#$%&'*+.^`|~-]+$/, 'a cookie name') VALIDATOR_COOKIE_KEY?: string;
  @Text(HEADER_NAME, 'a header name') VALIDATOR_AUTH_HEADER_NAME!: string;
  @Int(0, 3600) VALIDATOR_LEEWAY!: number;
  @List(/^[^\s,]+:[\w!#$%&'+.^`|~-]+$/, 'claim:header pairs') VALIDATOR_PROPAGATE_CLAIMS!: string[];
  @Int(0, 1_000_000) VALIDATOR_SIGNATURE_CACHE!: number;
  @Flag() DISABLE_JWK_SECURITY!: boolean;
  @Text(/^[^\0]{8,}$/s, 'at least 8 characters long') KEY_PASSPHRASE?: string;
  @Text(FILE, 'a path') KEY_PASSPHRASE_FILE?: string;
  @Int(0, 3_600_000) KEY_RELOAD_INTERVAL_MS!: number;
  @Text(
    /^(?:memory:|sqlite:[^\0]+|rediss?:\/\/\S+)$/,
    'sqlite:<file>, redis://…, rediss://… or memory:',
  )
  STATE_STORE!: string;
  @List(/^[^\s,]+$/, 'roles') ADMIN_ROLES!: string[];
  @Int(0, 1_000_000_000) THROTTLE_LIMIT!: number;
  @Int(1000, 86_400_000) THROTTLE_TTL_MS!: number;
  @Flag() SESSION_COOKIES!: boolean;
  @Flag() ERRORS_EXPLAIN!: boolean;
  @Flag() SWAGGER_ENABLED!: boolean;
  @Choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) LOG_LEVEL!: string;
  @Choice(['pretty', 'json']) LOG_FORMAT!: 'pretty' | 'json';
  @DocumentUrl() OTEL_EXPORTER_OTLP_ENDPOINT?: string;
}
