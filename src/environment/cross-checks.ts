import { claimHeaderProblems, parseClaimHeaders } from '../core/verify/index.js';
import { NEVER_FORWARDED } from '../core/headers/index.js';
import { normalizeType } from '../core/claims/index.js';
import { isAsymmetric, isJwsAlgorithm } from '../core/jws/index.js';
import { DEFAULT_KEY_FILE, PASSED_ON, type Environment } from './environment.js';
import { isGiven, type RawEnvironment } from './raw-environment.js';

const BACKEND_PATHS = [
  'TOKEN_BACKEND_PATH',
  'PRIVATE_BACKEND_PATH',
  'REFRESH_BACKEND_PATH',
] as const;

/**
 * Problems that no single variable has by itself, one line each.
 * They are looked for beside wrong values too, so `env` may hold text where a flag should be.
 */
export function crossChecks(env: Environment, raw: RawEnvironment): string[] {
  const problems: string[] = [];
  if (env.NODE_ENV === 'production') {
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
  }
  for (const name of env.BACKEND_INPUT_HEADERS)
    if (NEVER_FORWARDED.has(name.toLowerCase()))
      problems.push(`BACKEND_INPUT_HEADERS cannot forward ${name.toLowerCase()}`);
  if (env.VALIDATOR_AUDIENCE.includes('unchecked')) {
    if (env.VALIDATOR_AUDIENCE.length > 1)
      problems.push('VALIDATOR_AUDIENCE is unchecked and names recipients; choose one');
    if (env.VALIDATOR_AUDIENCE_CLAIM !== 'aud')
      problems.push(
        'VALIDATOR_AUDIENCE is unchecked, so VALIDATOR_AUDIENCE_CLAIM is not looked at; name the recipients that it may hold',
      );
  }
  const pairs = env.VALIDATOR_PROPAGATE_CLAIMS.filter((pair) => /:[^:\s]+$/.test(pair));
  for (const problem of claimHeaderProblems(parseClaimHeaders(pairs)))
    problems.push(`VALIDATOR_PROPAGATE_CLAIMS ${problem}`);
  for (const name of BACKEND_PATHS)
    if (/#|\/\.\.?(?=[/?]|$)/.test(env[name] ?? ''))
      problems.push(`${name} must not contain '#', '/./' or '/../'`);
  for (const name of ['TOKEN_BACKEND_PATH', 'REFRESH_BACKEND_PATH'] as const)
    if (env[name]?.includes('{JWT.') === true)
      problems.push(`${name} cannot contain {JWT.…}: there is no verified access token here`);
  problems.push(
    ...loginChecks(env, raw),
    ...sessionChecks(env),
    ...corsChecks(env),
    ...issuerChecks(env),
    ...introspectionChecks(env),
  );
  for (const side of ['SIGNER', 'VALIDATOR'] as const) {
    const url = env[`${side}_JWK_URL`];
    if (url === undefined) continue;
    if (isGiven(raw[`${side}_JWK_LOCAL_PATH`]))
      problems.push(`${side}_JWK_URL and ${side}_JWK_LOCAL_PATH are both set; choose one`);
    // Signing keys are secret, so JWK_HTTP_HOSTS is not about them.
    // What is no URL at all is reported for the variable.
    if (
      /^http:/i.test(url) &&
      !(side === 'VALIDATOR' ? mayFetch(url, env) : mayFetch(url, env, []))
    )
      problems.push(
        `${side}_JWK_URL must be https (in development DISABLE_JWK_SECURITY=true allows http)`,
      );
  }
  const trustsNobody = [undefined, false, 0].some((nobody) => nobody === env.TRUST_PROXY);
  if (env.VALIDATOR_MTLS_HEADER !== undefined && trustsNobody)
    problems.push(
      'VALIDATOR_MTLS_HEADER needs TRUST_PROXY: a certificate counts only from a proxy that is trusted',
    );
  if (env.KEY_PASSPHRASE !== undefined && env.KEY_PASSPHRASE_FILE !== undefined)
    problems.push('KEY_PASSPHRASE and KEY_PASSPHRASE_FILE are both set; choose one');
  if (PLACEHOLDER_REST.test(env.PRIVATE_BACKEND_PATH.replaceAll(/\{JWT\.[^{}]+\}/g, '')))
    problems.push('PRIVATE_BACKEND_PATH has a brace that belongs to no {JWT.<claim>}');
  return problems;
}

/** What the metadata say of the login has to be true. */
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

/** Pages of other origins, and what the cookies are for. */
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

/** What refresh and session cookies need. */
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

/** What issuers other than our own need. */
function issuerChecks(env: Environment): string[] {
  // What is no issuer at all is reported for the variable.
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

/** What asking about tokens needs. */
function introspectionChecks(env: Environment): string[] {
  const url = env.VALIDATOR_INTROSPECTION_URL;
  const problems: string[] = [];
  // What is no URL at all is reported for the variable.
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

/** A URL that keys may come from. */
function mayFetch(text: string, env: Environment, httpHosts = env.JWK_HTTP_HOSTS): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') return url?.protocol === 'https:';
  return isTrue(env.DISABLE_JWK_SECURITY) || httpHosts.includes(url.hostname);
}

const hasGivenKeys = (env: Environment): boolean =>
  env.VALIDATOR_JWK_URL !== undefined || env.VALIDATOR_JWK_LOCAL_PATH !== undefined;

/**
 * The issuers whose tokens are not ours: each has keys of its own, by `VALIDATOR_JWK_*` or by its metadata.
 * None where one set of keys stands for all issuers: with `VALIDATOR_DISCOVERY=false` and no keys given.
 */
export const foreignIssuers = (env: Environment): string[] =>
  hasGivenKeys(env) || env.VALIDATOR_DISCOVERY
    ? [...new Set(env.VALIDATOR_ISSUER)].filter((issuer) => issuer !== env.SIGNER_ISSUER)
    : [];

/** Anybody can write `X-Forwarded-For`, and there is always a proxy whose word would count. */
export const trustProxyWarning = ({ TRUST_PROXY }: Environment): string[] =>
  TRUST_PROXY === true
    ? [
        'TRUST_PROXY=true: a client can write any address into X-Forwarded-For, and so gets past THROTTLE_LIMIT; name the addresses of your proxies, or how many there are',
      ]
    : [];

/** Whoever is on the way to these hosts chooses the keys. */
export const httpHostsWarning = ({ JWK_HTTP_HOSTS: hosts }: Environment): string[] =>
  hosts.length === 0
    ? []
    : [
        `JWK_HTTP_HOSTS: keys and metadata of ${hosts.join(', ')} may come by plain http; whoever is on the way chooses the keys`,
      ];

/** What says why a token is refused helps whoever tries tokens out. */
export function explainPageWarning(env: Environment): string[] {
  const { EXPLAIN_PAGE, MANAGEMENT_PORT, MANAGEMENT_HOST, NODE_ENV } = env;
  if (!EXPLAIN_PAGE) return [];
  if (MANAGEMENT_PORT === 'off')
    return ['EXPLAIN_PAGE=true needs MANAGEMENT_PORT, which is off: there is no explain page'];
  return NODE_ENV !== 'production' || /^(?:127\.|localhost$|::1$)/.test(MANAGEMENT_HOST)
    ? []
    : [
        `EXPLAIN_PAGE=true: whoever reaches MANAGEMENT_HOST (${MANAGEMENT_HOST}) is told why a token is refused`,
      ];
}

/** With registered clients the gateway authenticates them, not the login. The default may stand in a `.env`. */
export const authMethodsWarning = (env: Environment): string[] =>
  env.CLIENTS_FILE !== undefined && env.TOKEN_BACKEND_AUTH_METHODS.join() !== PASSED_ON.join()
    ? [
        'TOKEN_BACKEND_AUTH_METHODS does nothing with CLIENTS_FILE: token_endpoint_auth_method of each client says how it authenticates',
      ]
    : [];

/** Whoever has one of these keys speaks for each of these issuers. */
export function sharedKeysWarning(env: Environment): string[] {
  const others = foreignIssuers(env);
  if (!hasGivenKeys(env) || others.length < 2) return [];
  const name =
    env.VALIDATOR_JWK_URL === undefined ? 'VALIDATOR_JWK_LOCAL_PATH' : 'VALIDATOR_JWK_URL';
  return [
    `${name} gives several issuers of VALIDATOR_ISSUER one set of keys: ${others.join(', ')}; whoever has a key of it can sign for each of them`,
  ];
}

const PLACEHOLDER_REST = /[{}]/;
const isTrue = (flag: unknown): boolean => flag === true;

/** True where a missing key file is created: the default file, outside of production. */
export const mayCreateKeyFile = (env: Environment): boolean =>
  env.NODE_ENV !== 'production' &&
  env.SIGNER_JWK_URL === undefined &&
  env.SIGNER_JWK_LOCAL_PATH === DEFAULT_KEY_FILE;
