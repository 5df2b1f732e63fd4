import { isShared, sameKeys } from './key-options.js';
import type { Finding } from './findings.js';
import type { Endpoint, KrakendConfig, Signer, Validator } from './krakend-config.js';

/** A weakness of KrakenD that a configuration is exposed to. */
export interface Defect {
  readonly id: string;
  /** `A` security, `B` availability, `C` correctness, `D` ergonomics. */
  readonly severity: 'A' | 'B' | 'C' | 'D';
  readonly defect: string;
  /** What in the configuration exposes it; empty if it is the routes. */
  readonly because: string;
  /** Labels of the endpoints that are exposed. */
  readonly routes: readonly string[];
}

type Signing = Endpoint & { readonly signer: Signer };
type Protected = Endpoint & { readonly validator: Validator };

/** The parts of a configuration that the rules use. */
interface Facts {
  readonly config: KrakendConfig;
  readonly signing: readonly Signing[];
  readonly guarded: readonly Protected[];
  /** Endpoints whose validators fetch their keys from a URL. */
  readonly remote: readonly Protected[];
  readonly unknown: readonly Finding[];
}

type Rule = readonly [
  id: string,
  severity: Defect['severity'],
  defect: string,
  /** Returns why the configuration is exposed: a reason, or the endpoints. `undefined` or no endpoints: it is not. */
  because: (facts: Facts) => string | readonly Endpoint[] | undefined,
];

const withSigner = ({ signer }: Endpoint): boolean => signer !== undefined;
const hasRoles = ({ validator }: Protected): boolean =>
  validator.roles.length + validator.scopes.length > 0;
const all = ({ signing, guarded }: Facts): readonly Endpoint[] => [
  ...new Set<Endpoint>([...signing, ...guarded]),
];
const when = (condition: boolean, reason: string): string | undefined =>
  condition ? reason : undefined;
const keysOf = ({ signer, validator }: Endpoint) =>
  [signer?.keys, validator?.keys].filter((keys) => keys !== undefined);

const RULES: readonly Rule[] = [
  ['D1', 'A', 'The shared cache of keys knows only kids: a key of one issuer validates tokens on endpoints that trust another', ({ config, remote }) =>
    when(
      (config.sharedCacheDuration !== undefined || remote.some(({ validator }) => validator.cache)) &&
        new Set(remote.map(({ validator }) => validator.keys.url)).size > 1,
      'several jwk_url with a cache',
    )],
  ['D2', 'A', 'A token without exp never expires', ({ guarded }) => guarded],
  ['D3', 'A', 'Weak and wrong keys are accepted: any length, whatever use, alg and key_ops say', all],
  ['D4', 'A', 'A refresh token is accepted as access token', ({ signing, guarded }) =>
    signing.some(({ signer }) => signer.keysToSign.some((name) => /refresh/i.test(name)))
      ? guarded.filter(
          (endpoint) =>
            !hasRoles(endpoint) &&
            signing.some(({ signer }) => sameKeys(signer.keys, endpoint.validator.keys)),
        )
      : undefined],
  ['D5', 'A', 'A cookie named access_token is read, though nobody configured one', ({ guarded }) =>
    guarded.filter(({ validator }) => validator.cookieKey === undefined)],
  ['D6', 'B', 'The download of keys has no deadline and no limit, and blocks all requests of the endpoint', ({ remote }) => remote],
  ['D7', 'B', 'The keys are downloaded twice per request, signatures verified twice', ({ remote }) =>
    remote.filter(({ validator }) => !validator.cache)],
  ['D8', 'B', 'Tokens with unknown kids force downloads without end, and can lock a valid kid out', ({ remote }) => remote],
  ['D9', 'A', 'A claim in the URL is not escaped: it can rewrite the request to the backend', ({ config }) =>
    config.endpoints.filter(({ backend }) => backend.path.includes('{JWT.'))],
  ['D10', 'B', 'A claim of an unexpected type makes it panic', ({ guarded }) =>
    guarded.filter(
      (endpoint) =>
        hasRoles(endpoint) ||
        (endpoint.validator.keys.path !== undefined && endpoint.validator.keys.url !== undefined) ||
        (endpoint.validator.rolesKeyIsNested && (endpoint.validator.rolesKey ?? '').length < 4),
    )],
  ['D11', 'C', 'Every error of the backend becomes 400 with an empty body: a wrong password cannot be 401', ({ signing }) => signing],
  ['D12', 'A', 'A field that is missing or not an object leaves unsigned, with 200', ({ signing }) => signing],
  ['D13', 'B', 'A missing key leaves a process that looks healthy and answers 401 for ever', all],
  ['D14', 'C', 'Refusals have no body, no WWW-Authenticate and, by default, no line in the log', ({ guarded }) => guarded],
  ['D15', 'B', 'Keys and configuration are read once: a rotation is a restart', (facts) =>
    all(facts).filter((endpoint) => keysOf(endpoint).some(({ path }) => path !== undefined))],
  ['D16', 'C', 'A token needs all of the audiences', ({ guarded }) =>
    guarded.filter(({ validator }) => validator.audience.length > 1)],
  ['D17', 'C', 'An endpoint accepts one issuer and one algorithm only', ({ guarded }) =>
    when(
      new Set(guarded.map(({ validator }) => `${validator.issuer} ${validator.alg}`)).size > 1,
      'endpoints differ in issuer or alg',
    )],
  ['D18', 'A', 'Whoever reaches the port of the revoker can revoke anything; when it cannot listen, nothing is revoked and nobody told', ({ config }) =>
    when(config.revoker !== undefined, `auth/revoker, port ${config.revoker?.port ?? '(none)'}`)],
  ['D19', 'A', 'Revoking by a claim that is no string does nothing', ({ config }) =>
    when(config.revoker !== undefined, `auth/revoker, token_keys ${config.revoker?.tokenKeys.join(', ')}`)],
  ['D20', 'A', 'Revocations are lost on restart, and can lapse before the token does', ({ config }) =>
    when(config.revoker !== undefined, `auth/revoker, TTL ${config.revoker?.ttl ?? '(none)'}`)],
  ['D22', 'A', 'The key that opens the key file is the MD5 of the passphrase', (facts) =>
    all(facts).filter((endpoint) => keysOf(endpoint).some(({ encrypted }) => encrypted))],
  ['D23', 'A', 'disable_jwk_security also turns the verification of TLS off; pins match any certificate shown', (facts) =>
    all(facts).filter((endpoint) =>
      keysOf(endpoint).some(
        ({ disableSecurity, fingerprints, path }) =>
          path === undefined && (disableSecurity || fingerprints.length > 0),
      ),
    )],
  ['D24', 'D', 'A public key in the place of the signing key is not noticed at boot', ({ signing }) =>
    signing.filter(({ signer }) => !isShared(signer.alg))],
  ['D25', 'C', 'Whole numbers from 2^53 on are altered in headers and URLs', ({ config }) =>
    config.endpoints.filter(
      ({ validator, backend }) =>
        (validator?.propagateClaims ?? []).length > 0 || backend.path.includes('{JWT.'),
    )],
  ['D26', 'C', 'The options do other than documented: typ is refused by the schema, leeway of a signer has no effect, a missing claim sends an empty header', ({ config }) =>
    config.endpoints.filter(
      ({ signer, validator }) =>
        signer?.typ !== undefined || signer?.leeway === true || (validator?.propagateClaims ?? []).length > 0,
    )],
  ['D27', 'C', '201 becomes 200, repeated headers are cut, and tokens leave without Cache-Control: no-store', ({ signing }) => signing],
  ['D28', 'C', 'Unknown options are ignored without a word', ({ unknown }) =>
    when(unknown.length > 0, unknown.map(({ matter }) => matter).join('; '))],
]; // prettier-ignore

/** Returns the defects that `config` is exposed to, in the order of the rules. */
export function defectsOf(config: KrakendConfig, unknown: readonly Finding[]): Defect[] {
  const guarded = config.endpoints.filter(
    (endpoint): endpoint is Protected => endpoint.validator !== undefined,
  );
  const facts: Facts = {
    config,
    unknown,
    guarded,
    signing: config.endpoints.filter((endpoint): endpoint is Signing => withSigner(endpoint)),
    remote: guarded.filter(
      ({ validator }) => validator.keys.path === undefined && validator.keys.url !== undefined,
    ),
  };
  return RULES.flatMap(([id, severity, defect, exposed]) => {
    const reason = exposed(facts);
    const routes = typeof reason === 'object' ? reason.map(({ label }) => label) : [];
    const because = typeof reason === 'string' ? reason : '';
    return because === '' && routes.length === 0 ? [] : [{ id, severity, defect, because, routes }];
  });
}
