import type { OptionScope } from '../../../src/cli/krakend/option-table.js';
import { endpoint, SIGNER, VALIDATOR } from './krakend.js';

type Members = Record<string, unknown>;
const { jwk_local_path: _path, ...BY_URL } = VALIDATOR;
const REMOTE = { ...BY_URL, jwk_url: 'https://idp.example/jwks' };

/** A value of an option that makes a difference. */
export const VALUES: Members = {
  'service port': 9000,
  'service listen_ip': '10.1.1.1',
  'service address': '10.1.1.1',
  'service host': ['http://other'],
  'service timeout': '7s',
  'service endpoints': [],
  'service output_encoding': 'no-op',
  'service tls': { public_key: 'a', private_key: 'b' },
  'service extra_config': { 'security/cors': { allow_origins: ['https://a.example'] } },
  'service extra_config auth/validator': { shared_cache_duration: 77 },
  'service extra_config auth/revoker': { token_keys: ['jti'] },
  'service extra_config security/cors': { allow_origins: ['https://a.example'] },
  'service extra_config router': { trusted_proxies: ['10.0.0.0/8'] },
  'service extra_config telemetry/logging': { level: 'ERROR' },
  'endpoint endpoint': '/b',
  'endpoint method': 'PUT',
  'endpoint backend': [{ host: ['http://other'], url_pattern: '/b' }],
  'endpoint extra_config': { 'auth/signer': SIGNER },
  'endpoint input_headers': ['X-A'],
  'endpoint headers_to_pass': ['X-A'],
  'endpoint input_query_strings': ['page'],
  'endpoint querystring_params': ['page'],
  'endpoint timeout': '7s',
  'endpoint output_encoding': 'string',
  'endpoint extra_config auth/signer': SIGNER,
  'endpoint extra_config auth/validator': { ...REMOTE, roles: ['z'] },
  'endpoint extra_config validation/cel': [{ check_expr: "JWT.a == 'b'" }],
  'endpoint extra_config security/policies': { jwt: { policies: ["JWT.a == 'b'"] } },
  'endpoint extra_config qos/ratelimit/router': { client_max_rate: 5 },
  'backend host': ['http://other'],
  'backend url_pattern': '/other',
  'backend method': 'PUT',
  'backend extra_config': { 'plugin/req-resp-modifier': {} },
  'backend encoding': 'safejson',
  'backend sd': 'dns',
  'backend sd_scheme': undefined,
  'backend extra_config validation/cel': [{ check_expr: "JWT.a == 'b'" }],
  'backend extra_config backend/http': undefined,
  'auth/signer alg': 'HS512',
  'auth/signer kid': 'other',
  'auth/signer keys_to_sign': ['receipt'],
  'auth/signer typ': 'receipt+jwt',
  'auth/signer full': true,
  'auth/signer jwk_local_path': 'other.json',
  'auth/signer jwk_url': 'https://keys.example/jwks',
  'auth/signer disable_jwk_security': undefined,
  'auth/signer secret_url': 'base64key://',
  'auth/signer cypher_key': 'a2V5',
  'auth/signer jwk_fingerprints': ['S3Jha2VuRCBpcyB0aGUgYmVzdCBnYXRld2F5IGV2ZXI='],
  'auth/signer jwk_local_ca': 'ca.pem',
  'auth/validator alg': 'ES512',
  'auth/validator issuer': 'https://other.example',
  'auth/validator audience': ['b', 'c'],
  'auth/validator roles': ['x'],
  'auth/validator roles_key': 'r',
  'auth/validator roles_key_is_nested': true,
  'auth/validator scopes': ['t'],
  'auth/validator scopes_key': 'scp',
  'auth/validator scopes_matcher': 'all',
  'auth/validator propagate_claims': [['sub', 'x-user']],
  'auth/validator propagate_claims_preserve_array': true,
  'auth/validator auth_header_name': 'X-Token',
  'auth/validator cookie_key': 'tok',
  'auth/validator leeway': '9s',
  'auth/validator key_identify_strategy': 'x5t',
  'auth/validator cache_duration': 55,
  'auth/validator shared_cache_duration': 66,
  'auth/validator failed_jwk_key_cooldown': '30s',
  'auth/validator cache': true,
  'auth/validator operation_debug': true,
  'auth/validator jwk_fingerprints': ['S3Jha2VuRCBpcyB0aGUgYmVzdCBnYXRld2F5IGV2ZXI='],
  'auth/validator jwk_local_ca': 'ca.pem',
  'auth/validator jwk_local_path': 'other.json',
  'auth/validator jwk_url': 'http://other.example/jwks',
  'auth/validator disable_jwk_security': undefined,
  'auth/validator secret_url': 'base64key://',
  'auth/validator cypher_key': 'a2V5',
  'auth/revoker token_keys': ['aud'],
  'auth/revoker TTL': 1500,
  'auth/revoker port': 1234,
  'security/cors allow_origins': ['https://a.example'],
  'security/cors allow_credentials': true,
  'qos/ratelimit/router client_max_rate': 7,
  'qos/ratelimit/router every': '1m',
  'qos/ratelimit/router strategy': 'header',
  'qos/ratelimit/router key': undefined,
  'router trusted_proxies': ['10.0.0.0/8'],
  'telemetry/logging level': 'ERROR',
};

/** What is there before the option is. */
export const BEFORE: Partial<Record<OptionScope, Members>> = {
  'auth/signer': { ...SIGNER, jwk_local_path: undefined },
  'auth/revoker': { token_keys: ['jti'] },
  'auth/validator': {
    ...REMOTE,
    scopes: ['s'],
    scopes_key: 'scope',
    propagate_claims: [['a', 'x-a']],
  },
  'qos/ratelimit/router': { client_max_rate: 5 },
};

/** An endpoint with an option in its place; with a validator, unless the option stands where there is none. */
export function sampleEndpoint(path: string, scope: OptionScope, members: Members): Members {
  const of = (target: OptionScope): Members => (scope === target ? members : {});
  const extra = ['auth/signer', 'auth/validator', 'qos/ratelimit/router'].includes(scope)
    ? { [scope]: { ...BEFORE[scope], ...members } }
    : { 'auth/validator': REMOTE, ...of('endpoint extra_config') };
  return endpoint(path, extra, of('endpoint'), {
    ...(scope === 'service' ? { host: undefined } : {}),
    ...of('backend'),
    ...(scope === 'backend extra_config' ? { extra_config: members } : {}),
  });
}
