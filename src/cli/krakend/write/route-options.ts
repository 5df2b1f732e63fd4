import { guessIssuer, keysOf, sameKeys } from '../key-options.js';
import type { Signer, Validator } from '../krakend-config.js';
import { propagationOf } from '../propagation.js';
import type { RouteMapping } from '../route-mapping.js';
import { atLeastOne } from './environment-of.js';
import { Code, toLiteral } from './literals.js';

/** Returns the options that all routes of a validator share. They override the defaults of the module. */
export function validatorOptions(
  validator: Validator,
  { signer, custom }: RouteMapping,
): Record<string, unknown> {
  const { audience, issuer, leewayMs, cooldownMs, keys } = validator;
  // The environment variables for GET /private/custom are defaults, which other routes have to override.
  const defaults = custom?.validator;
  const isOwn = signer !== undefined && sameKeys(keys, signer.keys);
  const { path, url } = isOwn ? {} : keysOf(validator);
  const remote = {
    cacheTtl: validator.cacheDuration,
    cooldown: cooldownMs === undefined ? undefined : atLeastOne(cooldownMs / 1000),
    fingerprints: keys.fingerprints.length > 0 ? keys.fingerprints.map(toBase64url) : undefined,
    // KrakenD accepts a pin of any certificate of the chain.
    fingerprintsMatch: keys.fingerprints.length > 0 ? 'chain' : undefined,
    ca: keys.ca === undefined ? undefined : new Code(`readFileSync(${toLiteral(keys.ca)}, 'utf8')`),
  };
  const given = url === undefined ? {} : remote;
  const strategy = path === undefined && url === undefined ? undefined : validator.identifyStrategy;
  const fetched = { ...given, identifyStrategy: strategy };
  const { headers } = propagationOf(validator);
  return {
    algorithms: [validator.alg],
    issuer: issuer ?? (url === undefined ? undefined : guessIssuer(url)),
    audience: audience.length === 0 ? 'unchecked' : audience,
    audienceMatcher: audience.length > 1 ? 'all' : undefined,
    jwkUrl: url,
    jwkLocalPath: path,
    remote: Object.values(fetched).some((value) => value !== undefined) ? fetched : undefined,
    rolesKey: validator.rolesKey ?? (defaults?.rolesKey === undefined ? undefined : 'roles'),
    rolesKeyIsNested:
      validator.rolesKeyIsNested || (defaults?.rolesKeyIsNested === true ? false : undefined),
    scopesKey: validator.scopesKey,
    scopesMatcher: validator.scopesMatcher === 'all' ? 'all' : undefined,
    authHeaderName:
      validator.authHeaderName ??
      (defaults?.authHeaderName === undefined ? undefined : 'Authorization'),
    cookieKey: validator.cookieKey,
    leeway: leewayMs === undefined ? undefined : atLeastOne(leewayMs / 1000),
    ...(Object.keys(headers).length === 0
      ? {}
      : {
          propagateClaims: headers,
          // KrakenD writes claims as UTF-8.
          propagateEncoding: 'utf8',
          propagateLists: validator.repeatLists ? 'repeated' : undefined,
        }),
  };
}

/** Returns the options that may differ between routes with the same validator. */
export const accessOptions = ({
  roles,
  scopes,
  scopesKey,
}: Validator): Record<string, unknown> => ({
  roles: roles.length > 0 ? roles : undefined,
  // KrakenD ignores scopes without `scopes_key`.
  scopes: scopes.length > 0 && scopesKey !== undefined ? scopes : undefined,
});

export function signOptions(signer: Signer, defaults: Signer | undefined): string {
  const base = defaults ?? signer;
  return toLiteral({
    fields: signer.keysToSign.length > 0 ? signer.keysToSign : undefined,
    alg: signer.alg === base.alg ? undefined : signer.alg,
    kid: signer.kid === base.kid ? undefined : signer.kid,
    typ: signer.typ === base.typ ? undefined : (signer.typ ?? 'JWT'),
    full: signer.full === base.full ? undefined : signer.full,
  });
}

/** Converts a pin to base64url. Pins are often written in plain base64. */
const toBase64url = (pin: string): string =>
  pin.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
