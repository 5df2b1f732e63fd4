import { BootError } from '../../core/errors/index.js';
import { readEnvironment } from '../../environment/index.js';
import type { Findings } from './findings.js';
import { fileFor, guessIssuer, isShared, keysOf, sameKeys } from './key-options.js';
import type { Endpoint, KeyOptions, KrakendConfig, Signer, Validator } from './krakend-config.js';
import { propagationOf } from './propagation.js';
import type { RouteMapping } from './route-mapping.js';
import { FETCHED_SIGNING_KEYS, type EnvironmentVariables } from './write/environment-of.js';

/** Adds findings: what has to be done by hand, and what behaves differently from now on. */
export function advise(
  config: KrakendConfig,
  routes: RouteMapping,
  variables: EnvironmentVariables,
  findings: Findings,
): void {
  for (const endpoint of config.endpoints) {
    const { label, validator, signer } = endpoint;
    const tell = (section: 'differs' | 'todo', lines: readonly string[]): void => {
      for (const line of lines) findings.add(section, line, label);
    };
    if (validator !== undefined) {
      tell('differs', [...validatorDiffers(validator), ...propagationOf(validator).dropped]);
      tell('todo', validatorTodo(validator, routes.signer));
    }
    if (signer !== undefined) {
      tell('differs', signerDiffers(endpoint, signer, routes));
      tell('todo', signerTodo(signer, routes.signer));
    }
    tell('todo', backendTodo(endpoint));
    tell('differs', backendDiffers(endpoint));
  }
  placing(config, routes, variables, findings);
  revoker(config, findings);
}

function validatorDiffers(validator: Validator): string[] {
  const { issuer, audience, scopes, scopesKey, cookieKey, keys } = validator;
  const { url } = keysOf(validator);
  const guess = url === undefined ? undefined : guessIssuer(url);
  return [
    ...(issuer === undefined
      ? [
          guess === undefined
            ? 'no issuer was checked; now it is that of the gateway, SIGNER_ISSUER'
            : `no issuer was checked; now it is ${guess}, a guess from jwk_url: compare it with iss of a token`,
        ]
      : []),
    ...(audience.length === 0
      ? [
          'no audience was checked, and none is now (audience: unchecked): name it, or tokens for other services open these routes',
        ]
      : []),
    ...(scopes.length > 0 && scopesKey === undefined
      ? ['scopes without scopes_key were never checked; they are left out']
      : []),
    ...(cookieKey === undefined
      ? ['a cookie named access_token is not read any more, which nobody had asked for']
      : [
          'a request by cookie that changes something has to come from the same origin, which PUBLIC_URL says behind a proxy',
        ]),
    ...(keys.path !== undefined && keys.url !== undefined
      ? ['jwk_url beside jwk_local_path had no effect; it is left out']
      : []),
    ...(keys.disableSecurity && url?.startsWith('https:') === true
      ? [
          'disable_jwk_security turned the verification of TLS off; certificates are verified, if need be with jwk_local_ca',
        ]
      : []),
    'tokens need exp, and typ JWT or at+jwt where they have one',
  ];
}

function validatorTodo(validator: Validator, signer: Signer | undefined): string[] {
  const { keys, alg, propagateClaims } = validator;
  const isOwn = signer !== undefined && sameKeys(keys, signer.keys);
  const isFetched = keys.path === undefined && keys.url !== undefined && isShared(alg);
  return [
    ...encrypted(keys),
    ...(propagateClaims.length > 0
      ? [
          'claims in headers are UTF-8 as they were, where the text "user,admin" and a list of the two look alike: set propagateEncoding to \'percent\' where backends can decode it',
        ]
      : []),
    ...(keys.path === undefined && keys.url === undefined
      ? ['the validator names no keys; those of the gateway stand in']
      : []),
    ...(isFetched && !isOwn
      ? [
          `${alg} by URL: whoever can read ${keys.url} can make tokens. Fetch it once into ${fileFor(keys.url ?? '')}, mode 0600, and close the URL; better sign with ES256`,
        ]
      : []),
    ...(keys.url?.startsWith('http:') === true && !isFetched && keys.path === undefined
      ? [
          `the key set comes by plain http, which JWK_HTTP_HOSTS allows for its host: anyone on the network path can replace the keys, so use https where you can`,
        ]
      : []),
  ];
}

function signerDiffers(
  { label, method, inputHeaders }: Endpoint,
  signer: Signer,
  { token }: RouteMapping,
): string[] {
  return [
    'what is not signed is refused with 502; it left unsigned. Refusals of the login reach the client with their status, not as 400',
    ...(signer.keysToSign.includes('refresh_token') && signer.typ === undefined
      ? ['refresh tokens have typ rt+jwt, and are no access tokens any more']
      : []),
    ...(token?.label === label && inputHeaders.includes('authorization')
      ? ['of the header Authorization the login at POST /token gets Basic credentials only']
      : []),
    ...(method === 'GET'
      ? [
          'tokens by GET stay where they are, but addresses get into logs and caches: move clients to POST' +
            (token?.label === label ? ' /token, which is there as well' : ''),
        ]
      : []),
    ...(signer.keys.fingerprints.length > 0 || signer.keys.ca !== undefined
      ? ['pins and CA of the signing keys are not taken over; prefer a file']
      : []),
  ];
}

function signerTodo(signer: Signer, base: Signer | undefined): string[] {
  const { keys } = signer;
  return [
    ...(signer.alg === undefined || signer.kid === undefined || signer.keysToSign.length === 0
      ? ['alg, kid or keys_to_sign is missing; the defaults of Signet stand in']
      : []),
    ...encrypted(keys),
    ...(base !== undefined && !sameKeys(keys, base.keys)
      ? ['it signs with a key set of its own; put its key into the one key set, by its kid']
      : []),
    ...(keys.path === undefined && keys.url?.startsWith('http:') === true
      ? [
          `signing keys never come by plain http: whoever can read ${keys.url} can make tokens. Fetch it once into ${FETCHED_SIGNING_KEYS}, mode 0600, and close the URL`,
        ]
      : []),
  ];
}

const encrypted = (keys: KeyOptions): string[] =>
  keys.encrypted
    ? [
        'the key file is encrypted by the means of KrakenD; decrypt it there, and encrypt it with signet keys encrypt',
      ]
    : [];

function backendTodo({ path, backend }: Endpoint): string[] {
  const placeholders = [...backend.path.matchAll(/\{(?!JWT\.)([^{}]*)\}/g)].map(([, name]) => name);
  return placeholders.some((name) => !path.includes(`{${name}}`))
    ? [`url_pattern ${backend.path} has a name in braces that is no parameter of the endpoint`]
    : [];
}

function backendDiffers({ signer, encoding, backend, validator }: Endpoint): string[] {
  return [
    ...(signer === undefined && encoding !== 'no-op'
      ? ['the status of the backend reaches the client; KrakenD made 200 of 201, and 500 of 4xx']
      : []),
    ...(backend.path.includes('{JWT.')
      ? ['a claim that is missing for url_pattern is 403; its value is encoded']
      : []),
    ...((validator?.propagateClaims ?? []).length > 0
      ? ['a claim that is missing gives no header, where it was an empty one']
      : []),
  ];
}

/** Adds findings about the gateway as a whole: where the files belong, and which modules and settings to change. */
function placing(
  { endpoints }: KrakendConfig,
  routes: RouteMapping,
  variables: EnvironmentVariables,
  findings: Findings,
): void {
  const { token, custom, others, replaced, signer } = routes;
  findings.add(
    'todo',
    others.length === 0
      ? 'signet.env is the .env of the gateway'
      : 'signet.env is the .env of the gateway, imported.module.ts belongs into src/imported/ of it, and ImportedModule into the imports of src/app.module.ts',
  );
  for (const name of replaced)
    findings.add(
      'todo',
      `take ${name} out of the imports of src/app.module.ts: a route of ImportedModule takes its place`,
    );
  if (token === undefined && !replaced.includes('TokenModule'))
    findings.add(
      'todo',
      'nothing was signed at /token: take TokenModule out of the imports of src/app.module.ts, or POST /token asks BACKEND_HOST for claims and signs them',
    );
  if (custom === undefined && !replaced.includes('PrivateModule'))
    findings.add(
      'todo',
      'GET /private/custom is a template of the gateway: take PrivateModule out of the imports of src/app.module.ts',
    );
  if (signer === undefined)
    findings.add('todo', 'the gateway has a signing key in any case: signet keys generate');
  if (others.some(({ rateLimit }) => rateLimit !== undefined))
    findings.add(
      'todo',
      'imported.module.ts needs @nestjs/throttler: npm install @nestjs/throttler',
    );
  if (variables.SIGNER_ISSUER === undefined)
    findings.add('todo', 'set PUBLIC_URL to the address that clients use; production needs it');
  if (custom !== undefined && variables.VALIDATOR_JWK_FINGERPRINTS !== undefined)
    findings.add(
      'differs',
      'jwk_fingerprints matched any certificate of the chain; VALIDATOR_JWK_FINGERPRINTS is about that of the server',
      custom.label,
    );
  if (variables.BODY_LIMIT !== undefined)
    findings.add(
      'differs',
      'bodies had no limit; now they have 1 MB: BODY_LIMIT, and maxRequestBytes of BackendModule',
    );
  if (variables.VALIDATOR_AUDIENCE === undefined)
    findings.add('todo', 'set VALIDATOR_AUDIENCE to whom the tokens are for; production needs it');
  if (endpoints.length > 0)
    findings.add('differs', 'probes: GET /__health is now GET /health/live and GET /health/ready');
  for (const problem of problemsOf(variables))
    findings.add('todo', `the gateway does not boot with this: ${problem}`);
}

/** Returns why the gateway would not boot with these variables. */
function problemsOf(variables: EnvironmentVariables): readonly string[] {
  try {
    readEnvironment({ ...variables });
    return [];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return error.problems;
  }
}

const REVOCABLE = ['jti', 'sub', 'sid', 'kid'];

function revoker({ revoker: found }: KrakendConfig, findings: Findings): void {
  if (found === undefined) return;
  const others = found.tokenKeys.filter((name) => !REVOCABLE.includes(name));
  findings.add(
    'todo',
    'auth/revoker: revocations are kept in STATE_STORE; set ADMIN_ROLES, and revoke with POST /admin/revocations or POST /token/revoke instead of its RPC',
  );
  if (others.length > 0)
    findings.add(
      'differs',
      `auth/revoker: tokens are revoked by ${REVOCABLE.join(', ')}, not by ${others.join(', ')}`,
    );
}
