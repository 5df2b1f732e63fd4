import { readEnvironment } from '../../environment/index.js';
import { BootError } from '../../core/errors/index.js';
import { sameKeys, unique, type EnvironmentVariables } from './environment-of.js';
import type { Endpoint, KrakendConfig } from './krakend-config.js';
import type { RouteMapping } from './route-mapping.js';

/** What is left to be done by hand, or is different from now on; never a repetition of values. */
export function migrationAdvice(
  config: KrakendConfig,
  routes: RouteMapping,
  variables: EnvironmentVariables,
): string[] {
  return unique([
    ...environmentProblems(variables),
    ...config.endpoints.flatMap((endpoint) => [
      ...validatorAdvice(endpoint),
      ...signerAdvice(endpoint, routes),
      ...forwardingAdvice(endpoint),
    ]),
    ...sharedSettings(routes, config),
    ...revokerAdvice(config),
  ]);
}

function environmentProblems(variables: EnvironmentVariables): string[] {
  try {
    readEnvironment(variables);
    return [];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return error.problems.map((problem) => `the gateway does not boot with this: ${problem}`);
  }
}

function validatorAdvice({ label, validator }: Endpoint): string[] {
  if (validator === undefined) return [];
  const { issuer, audience, scopes, scopesKey, keys, path } = {
    ...validator,
    path: validator.keys.path,
  };
  return [
    ...(issuer === undefined
      ? [
          `${label}: no issuer was checked; one always is now, so set SIGNER_ISSUER to the iss that the backend sends, or VALIDATOR_ISSUER where others sign`,
        ]
      : []),
    ...(audience.length === 0
      ? [`${label}: no audience was checked; one always is now, so set VALIDATOR_AUDIENCE`]
      : []),
    ...(scopes.length > 0 && scopesKey === undefined
      ? [`${label}: scopes without scopes_key were never checked; they are left out`]
      : []),
    ...(keys.encrypted
      ? [
          `${label}: the key file is encrypted by KrakenD; encrypt it again with signet keys encrypt`,
        ]
      : []),
    ...(path !== undefined && keys.url !== undefined
      ? [`${label}: jwk_url beside jwk_local_path had no effect; it is left out`]
      : []),
  ];
}

function signerAdvice({ label, signer }: Endpoint, routes: RouteMapping): string[] {
  if (signer === undefined) return [];
  return [
    ...(signer.alg === undefined || signer.kid === undefined || signer.keysToSign.length === 0
      ? [`${label}: alg, kid or keys_to_sign is missing; the defaults of Signet stand in`]
      : []),
    ...(signer.leeway
      ? [`${label}: leeway of the signer never had an effect; it is left out`]
      : []),
    ...(signer.keys.encrypted
      ? [
          `${label}: the key file is encrypted by KrakenD; encrypt it again with signet keys encrypt`,
        ]
      : []),
    ...(routes.signer !== undefined && !sameKeys(signer.keys, routes.signer.keys)
      ? [
          `${label}: it signs with a key set of its own; put its key into the one key set, by its kid`,
        ]
      : []),
    ...(signer.typ === undefined && signer.keysToSign.includes('refresh_token')
      ? [`${label}: refresh tokens have typ rt+jwt from now on, and are no access tokens`]
      : []),
  ];
}

function forwardingAdvice({
  label,
  inputHeaders,
  inputQueryStrings,
  path,
  backend,
}: Endpoint): string[] {
  const star = [...inputHeaders, ...inputQueryStrings].includes('*');
  const placeholders = [...backend.path.matchAll(/\{(?!JWT\.)([^{}]*)\}/g)].map(([, name]) => name);
  return [
    ...(star ? [`${label}: "*" forwards everything; name what the backend may see`] : []),
    ...(inputHeaders.some((name) => name.toLowerCase() === 'authorization')
      ? [`${label}: the header that carried a token is never forwarded from a protected route`]
      : []),
    ...placeholders
      .filter((name) => !path.includes(`{${name}}`))
      .map((name) => `${label}: url_pattern has {${name}}, which is no parameter of the endpoint`),
  ];
}

function sharedSettings({ token, custom }: RouteMapping, config: KrakendConfig): string[] {
  if (token === undefined || custom === undefined) return [];
  const settings = ({ backend, timeoutMs, inputHeaders, inputQueryStrings }: Endpoint): string =>
    JSON.stringify([backend.host, timeoutMs ?? config.timeoutMs, inputHeaders, inputQueryStrings]);
  return settings(token) === settings(custom)
    ? []
    : [
        `${custom.label}: it shares host, timeout and forwarding with ${token.label}; both lists of what is forwarded are joined`,
      ];
}

const REVOCABLE = ['jti', 'sub', 'sid', 'kid'];

function revokerAdvice({ revoker }: KrakendConfig): string[] {
  if (revoker === undefined) return [];
  const others = revoker.tokenKeys.filter((name) => !REVOCABLE.includes(name));
  return [
    'auth/revoker: revocations are kept in STATE_STORE; set ADMIN_ROLES and revoke with POST /admin/revocations',
    ...(others.length > 0
      ? [`auth/revoker: tokens are revoked by ${REVOCABLE.join(', ')}, not by ${others.join(', ')}`]
      : []),
  ];
}
