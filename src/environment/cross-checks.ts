import { claimHeaderProblems, parseClaimHeaders } from '../core/verify/index.js';
import { NEVER_FORWARDED } from '../core/headers/index.js';
import { normalizeType } from '../core/claims/index.js';
import { isAsymmetric, isJwsAlgorithm } from '../core/jws/index.js';
import type { Environment } from './environment.js';
import { foreignIssuers, hasGivenKeys } from './key-sources.js';
import { isGiven, type RawEnvironment } from './raw-environment.js';

/** A flag with a wrong value is still text here, so flags are compared with `true`. */
const isTrue = (flag: unknown): boolean => flag === true;

/**
 * Returns the problems of combinations of variables, one line each. The variables may have wrong values here: all
 * problems are reported at one start.
 */
export const crossChecks = (env: Environment, raw: RawEnvironment): string[] => [
  ...productionChecks(env, raw),
  ...forwardingChecks(env),
  ...audienceChecks(env),
  ...propagationChecks(env),
  ...pathChecks(env),
  ...loginChecks(env, raw),
  ...sessionChecks(env),
  ...corsChecks(env),
  ...issuerChecks(env),
  ...introspectionChecks(env),
  ...keySourceChecks(env, raw),
  ...certificateChecks(env),
  ...passphraseChecks(env),
];

/** Production needs explicit values where development guesses, and refuses what is insecure. */
function productionChecks(env: Environment, raw: RawEnvironment): string[] {
  if (env.NODE_ENV !== 'production') return [];
  const problems: string[] = [];
  if (env.BACKEND_HOST === undefined)
    problems.push('BACKEND_HOST is needed in production: the service that decides the claims');
  if (env.PUBLIC_URL === undefined && !isGiven(raw.SIGNER_ISSUER))
    problems.push(
      'PUBLIC_URL is needed in production, or SIGNER_ISSUER: the issuer of the tokens; write PUBLIC_URL=https://tokens.example.com, with the address that clients use',
    );
  if (!isGiven(raw.VALIDATOR_AUDIENCE))
    problems.push(
      'VALIDATOR_AUDIENCE is needed in production: for whom the tokens are; write VALIDATOR_AUDIENCE=https://api.example.com, with the name of your API',
    );
  if (isTrue(env.DISABLE_JWK_SECURITY))
    problems.push('DISABLE_JWK_SECURITY=true is refused in production');
  if (env.STATE_STORE === 'memory:' && env.WORKERS !== 1)
    problems.push(
      'STATE_STORE=memory: is one process only; choose sqlite:<file>, redis://… or postgres://…, or set WORKERS=1',
    );
  return problems;
}

const forwardingChecks = (env: Environment): string[] =>
  env.BACKEND_INPUT_HEADERS.map((name) => name.toLowerCase())
    .filter((name) => NEVER_FORWARDED.has(name))
    .map((name) => `BACKEND_INPUT_HEADERS cannot forward ${name}`);

function audienceChecks(env: Environment): string[] {
  if (!env.VALIDATOR_AUDIENCE.includes('unchecked')) return [];
  const problems: string[] = [];
  if (env.VALIDATOR_AUDIENCE.length > 1)
    problems.push('VALIDATOR_AUDIENCE is unchecked and names recipients; choose one');
  if (env.VALIDATOR_AUDIENCE_CLAIM !== 'aud')
    problems.push(
      'VALIDATOR_AUDIENCE is unchecked, so VALIDATOR_AUDIENCE_CLAIM is not looked at; name the recipients that it may hold',
    );
  return problems;
}

function propagationChecks(env: Environment): string[] {
  const pairs = env.VALIDATOR_PROPAGATE_CLAIMS.filter((pair) => /:[^:\s]+$/.test(pair));
  return claimHeaderProblems(parseClaimHeaders(pairs)).map(
    (problem) => `VALIDATOR_PROPAGATE_CLAIMS ${problem}`,
  );
}

function pathChecks(env: Environment): string[] {
  const problems: string[] = [];
  for (const name of [
    'TOKEN_BACKEND_PATH',
    'PRIVATE_BACKEND_PATH',
    'REFRESH_BACKEND_PATH',
  ] as const)
    if (/#|\/\.\.?(?=[/?]|$)/.test(env[name] ?? ''))
      problems.push(`${name} must not contain '#', '/./' or '/../'`);
  for (const name of ['TOKEN_BACKEND_PATH', 'REFRESH_BACKEND_PATH'] as const)
    if (env[name]?.includes('{JWT.') === true)
      problems.push(`${name} cannot contain {JWT.…}: there is no verified access token here`);
  if (/[{}]/.test(env.PRIVATE_BACKEND_PATH.replaceAll(/\{JWT\.[^{}]+\}/g, '')))
    problems.push('PRIVATE_BACKEND_PATH has a brace that belongs to no {JWT.<claim>}');
  return problems;
}

/** Checks what the metadata announce about the login service. */
function loginChecks(env: Environment, raw: RawEnvironment): string[] {
  const problems: string[] = [];
  if (env.TOKEN_BACKEND_GRANTS.includes('refresh_token'))
    problems.push(
      'TOKEN_BACKEND_GRANTS cannot name refresh_token, which REFRESH_BACKEND_PATH turns on',
    );
  if (env.TOKEN_BACKEND_METHOD === 'GET' && isGiven(raw.TOKEN_BACKEND_AUTH_METHODS))
    if (env.TOKEN_BACKEND_AUTH_METHODS.includes('client_secret_post'))
      problems.push(
        'TOKEN_BACKEND_AUTH_METHODS names client_secret_post, and TOKEN_BACKEND_METHOD=GET sends the login no body',
      );
  return problems;
}

/** Cookies are for named origins only. */
function corsChecks(env: Environment): string[] {
  if (!env.CORS_ORIGINS.includes('*')) return [];
  const problems: string[] = [];
  if (env.CORS_ORIGINS.length > 1) problems.push('CORS_ORIGINS is * and names origins; choose one');
  if (isTrue(env.SESSION_COOKIES) || env.VALIDATOR_COOKIE_KEY !== undefined)
    problems.push(
      'CORS_ORIGINS=* cannot be with SESSION_COOKIES or VALIDATOR_COOKIE_KEY: name the origins that may use cookies',
    );
  return problems;
}

/** Requirements of refresh, session cookies and session lists. */
function sessionChecks(env: Environment): string[] {
  const problems: string[] = [];
  const refresh = env.REFRESH_BACKEND_PATH !== undefined;
  const types = [env.SIGNER_TYP, ...env.VALIDATOR_TYP].map(normalizeType);
  if (refresh && types.includes(normalizeType(env.SIGNER_REFRESH_TYP)))
    problems.push(
      'SIGNER_REFRESH_TYP must differ from SIGNER_TYP and VALIDATOR_TYP: no refresh token may pass for an access token',
    );
  for (const [name, on] of [
    ['REFRESH_BACKEND_PATH', refresh],
    ['SESSION_COOKIES', isTrue(env.SESSION_COOKIES)],
    ['SESSION_LIST', isTrue(env.SESSION_LIST)],
    ['SESSION_LIMIT', env.SESSION_LIMIT > 0],
  ] as const)
    if (on && isTrue(env.SIGNER_FULL))
      problems.push(`${name} needs compact tokens, which SIGNER_FULL=true does not make`);
  return problems;
}

/** Requirements of issuers other than our own. */
function issuerChecks(env: Environment): string[] {
  // The rule of the variable reports values with blanks.
  const others = foreignIssuers(env).filter((issuer) => /^\S+$/.test(issuer));
  if (others.length === 0) return [];
  const problems: string[] = [];
  if (!hasGivenKeys(env) && !others.every((issuer) => mayFetch(issuer, env)))
    problems.push(
      'VALIDATOR_ISSUER names an issuer that is neither SIGNER_ISSUER nor an https URL, so its keys cannot be found; set SIGNER_ISSUER to it if its tokens are signed here, else VALIDATOR_JWK_URL, or VALIDATOR_DISCOVERY=false to take the signing keys for all issuers',
    );
  if (env.VALIDATOR_ALG?.some((alg) => !isJwsAlgorithm(alg) || isAsymmetric(alg)) === false)
    problems.push(
      'VALIDATOR_ALG names no asymmetric algorithm for the issuers of VALIDATOR_ISSUER that are not SIGNER_ISSUER; if the tokens are signed here, name their issuer in SIGNER_ISSUER, too; VALIDATOR_DISCOVERY=false takes the signing keys for all issuers',
    );
  for (const name of ['ADMIN_ROLES', 'INTROSPECTION_ROLES'] as const)
    if (env[name].length > 0 && !env.VALIDATOR_ISSUER.includes(env.SIGNER_ISSUER))
      problems.push(
        `${name} counts in tokens of SIGNER_ISSUER only, which VALIDATOR_ISSUER has to name, too`,
      );
  return problems;
}

/** Requirements of token introspection (RFC 7662). */
function introspectionChecks(env: Environment): string[] {
  const url = env.VALIDATOR_INTROSPECTION_URL;
  const problems: string[] = [];
  // The rule of the variable reports values that are not URLs.
  if (url !== undefined && URL.canParse(url) && !mayFetch(url, env))
    problems.push(
      'VALIDATOR_INTROSPECTION_URL must be https (JWK_HTTP_HOSTS names hosts that may be http)',
    );
  if (url === undefined && env.VALIDATOR_INTROSPECTION_CLIENT_FILE !== undefined)
    problems.push('VALIDATOR_INTROSPECTION_CLIENT_FILE needs VALIDATOR_INTROSPECTION_URL');
  if (env.VALIDATOR_INTROSPECTION_TOKENS !== 'all') return problems;
  if (url === undefined)
    problems.push('VALIDATOR_INTROSPECTION_TOKENS=all needs VALIDATOR_INTROSPECTION_URL');
  else if (foreignIssuers(env).length === 0)
    problems.push(
      'VALIDATOR_INTROSPECTION_TOKENS=all asks about JWTs of issuers other than SIGNER_ISSUER, and VALIDATOR_ISSUER names none with keys of its own',
    );
  return problems;
}

/** Keys and key sets. Signing keys are secret, so `JWK_HTTP_HOSTS` does not allow http for them. */
function keySourceChecks(env: Environment, raw: RawEnvironment): string[] {
  const problems: string[] = [];
  for (const side of ['SIGNER', 'VALIDATOR'] as const) {
    const url = env[`${side}_JWK_URL`];
    if (url === undefined) continue;
    if (isGiven(raw[`${side}_JWK_LOCAL_PATH`]))
      problems.push(`${side}_JWK_URL and ${side}_JWK_LOCAL_PATH are both set; choose one`);
    // The rule of the variable reports other schemes, and values that are not URLs.
    if (/^http:/i.test(url) && !mayFetch(url, env, side === 'VALIDATOR' ? env.JWK_HTTP_HOSTS : []))
      problems.push(
        `${side}_JWK_URL must be https (in development DISABLE_JWK_SECURITY=true allows http)`,
      );
  }
  return problems;
}

function certificateChecks({ VALIDATOR_MTLS_HEADER, TRUST_PROXY }: Environment): string[] {
  const trustsNobody = [undefined, false, 0].some((nobody) => nobody === TRUST_PROXY);
  return VALIDATOR_MTLS_HEADER !== undefined && trustsNobody
    ? [
        'VALIDATOR_MTLS_HEADER needs TRUST_PROXY: a certificate counts only from a proxy that is trusted',
      ]
    : [];
}

const passphraseChecks = ({ KEY_PASSPHRASE, KEY_PASSPHRASE_FILE }: Environment): string[] =>
  KEY_PASSPHRASE !== undefined && KEY_PASSPHRASE_FILE !== undefined
    ? ['KEY_PASSPHRASE and KEY_PASSPHRASE_FILE are both set; choose one']
    : [];

/**
 * True for a URL that keys and metadata may be fetched from: https, or http where the environment allows it.
 *
 * @param httpHosts hosts that may be plain http
 */
function mayFetch(text: string, env: Environment, httpHosts = env.JWK_HTTP_HOSTS): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') return url?.protocol === 'https:';
  return isTrue(env.DISABLE_JWK_SECURITY) || httpHosts.includes(url.hostname);
}
