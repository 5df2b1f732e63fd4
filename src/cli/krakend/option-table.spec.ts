import { describe, expect, it } from 'vitest';
import { endpoint, krakend, SIGNER, VALIDATOR } from '../../../test/helpers/krakend.js';
import { importConfig, type ImportedConfig } from './import-config.js';
import { componentName, OPTION_TABLE, type OptionRow, type Scope } from './option-table.js';

type Members = Record<string, unknown>;
const { jwk_local_path: _path, ...BY_URL } = VALIDATOR;
const REMOTE = { ...BY_URL, jwk_url: 'https://idp.example/jwks' };

/** A value of an option that makes a difference. */
const VALUES: Members = {
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
  'auth/signer alg': 'ES256',
  'auth/signer kid': 'other',
  'auth/signer keys_to_sign': ['receipt'],
  'auth/signer typ': 'receipt+jwt',
  'auth/signer full': true,
  'auth/signer jwk_local_path': 'other.json',
  'auth/signer jwk_url': 'https://keys.example/jwks',
  'auth/signer disable_jwk_security': undefined,
  'auth/signer secret_url': 'base64key://',
  'auth/signer cypher_key': 'a2V5',
  'auth/signer jwk_fingerprints': ['S3Jha2VuRA=='],
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
  'auth/validator jwk_fingerprints': ['S3Jha2VuRA=='],
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
const BEFORE: Partial<Record<Scope, Members>> = {
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

const withSample = (scope: Scope, members: Members): Members => {
  const inner = { ...BEFORE[scope], ...members };
  const of = (target: Scope): Members => (scope === target ? members : {});
  const service = ['auth/revoker', 'security/cors', 'router', 'telemetry/logging'];
  const guarded = { 'auth/validator': REMOTE };
  const extra = ['auth/signer', 'auth/validator', 'qos/ratelimit/router'].includes(scope)
    ? { [scope]: inner }
    : { ...guarded, ...of('endpoint extra_config') };
  return krakend(
    [
      endpoint('/a', extra, of('endpoint'), {
        ...(scope === 'service' ? { host: undefined } : {}),
        ...of('backend'),
        ...(scope === 'backend extra_config' ? { extra_config: members } : {}),
      }),
    ],
    {
      host: ['http://shop'],
      ...of('service'),
      ...(service.includes(scope) ? { extra_config: { [scope]: inner } } : {}),
      ...(scope === 'service extra_config' ? { extra_config: members } : {}),
    },
  );
};

/** Whatever lists `endpoints` itself stands behind the others. */
const translate = (config: Members, own?: Members): Promise<ImportedConfig> =>
  importConfig(JSON.stringify({ ...config, ...own }), 'krakend.json');

const of = async ({ scope, name }: OptionRow, sample: unknown): Promise<ImportedConfig[]> => {
  const full = name.replace(/\*$/, 'sample');
  const own = scope === 'service' && name === 'endpoints' ? { endpoints: sample } : {};
  return Promise.all([
    translate(withSample(scope, {})),
    translate(withSample(scope, { [full]: sample }), own),
  ]);
};

const title = ({ scope, name }: OptionRow): string => `${scope} ${name}`;
const rowsOf = (...fates: string[]): [string, OptionRow][] =>
  OPTION_TABLE.filter(({ fate }) => fates.includes(fate)).map((row) => [title(row), row]);

describe('each option of KrakenD', () => {
  it('is in the table once', () => {
    expect(new Set(OPTION_TABLE.map(title)).size).toBe(OPTION_TABLE.length);
  });

  it.each(rowsOf('none'))(
    '%s changes nothing, and nothing is said about it',
    async (_title, row) => {
      const [before, after] = await of(row, VALUES[title(row)] ?? { any: 1 });
      // A defect of KrakenD may come with it.
      expect({ ...after, defects: [] }).toEqual({ ...before, defects: [] });
    },
  );

  it.each(rowsOf('differs', 'todo'))('%s is told', async (_title, row) => {
    const [, after] = await of(row, VALUES[title(row)] ?? { any: 1 });
    const section = after?.[row.fate as 'differs' | 'todo'] ?? [];
    const isThere = section.some(({ matter }) => matter.includes(row.here));
    expect([isThere, after?.counts.takenOver]).toEqual([true, 1]);
  });

  it.each(rowsOf('refused'))('%s refuses the routes', async (_title, row) => {
    const [before, after] = await of(row, { any: 1 });
    expect(before?.counts).toMatchObject({ takenOver: 1, refused: 0 });
    expect(after?.counts).toMatchObject({ takenOver: 1, refused: 1 });
    expect(after?.refused).toEqual([
      { matter: expect.stringContaining(row.here) as unknown, routes: ['GET /a'] },
    ]);
    expect(after?.controllers).toContain('@UseGuards(NotImportedGuard)');
  });

  it.each(rowsOf('leftOut'))('%s is left out, with a line', async (_title, row) => {
    const [, after] = await of(row, { any: 1 });
    expect(JSON.stringify(after?.leftOut)).toContain(row.here);
    expect(after?.counts.leftOut).toBe(row.scope.startsWith('service') ? 0 : 1);
  });

  it.each(rowsOf('taken'))('%s is taken over', async (_title, row) => {
    expect(title(row) in VALUES, 'the test knows a value of it').toBe(true);
    const sample = VALUES[title(row)];
    // Alone it means nothing.
    if (sample === undefined) return;
    const [before, after] = await of(row, sample);
    expect(after).not.toEqual(before);
    expect(after?.unknown).toEqual([]);
  });
});

describe('an unknown component', () => {
  it.each<[string, Scope]>([
    ['of the service', 'service extra_config'],
    ['of an endpoint', 'endpoint extra_config'],
    ['of a backend', 'backend extra_config'],
  ])('%s refuses the routes, since it may protect them', async (_title, scope) => {
    const { counts } = await translate(withSample(scope, { 'acme/guard': {} }));
    expect(counts.refused).toBe(1);
  });
});

describe('names of version 2', () => {
  it.each([
    ['github.com/devopsfaith/krakend-jose/validator', 'auth/validator'],
    ['github_com/devopsfaith/bloomfilter', 'auth/revoker'],
    ['github.com/devopsfaith/bloomfilter', 'auth/revoker'],
    ['github_com/devopsfaith/krakend-cors', 'security/cors'],
    ['github.com/devopsfaith/krakend-ratelimit/juju/router', 'qos/ratelimit/router'],
    ['github.com/devopsfaith/krakend/proxy', 'proxy'],
    ['github_com/luraproject/lura/router/gin', 'router'],
    ['github.com/devopsfaith/krakend-cel', 'validation/cel'],
    ['github.com/letgoapp/krakend-influx', 'telemetry/influx'],
    ['github.com/somebody/else', 'github.com/somebody/else'],
    ['auth/validator', 'auth/validator'],
  ])('%s is %s', (old, name) => {
    expect(componentName(old)).toBe(name);
  });
});
