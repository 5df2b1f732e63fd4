import type { Fields } from './fields.js';
import type { KeyOptions, Revoker, Signer, Validator } from '../krakend-config.js';

/** KrakenD's default algorithm, by its schema. */
const DEFAULT_ALG = 'RS256';

export function readSigner(fields: Fields): Signer {
  return {
    alg: fields.text('alg'),
    kid: fields.text('kid'),
    keysToSign: fields.texts('keys_to_sign'),
    typ: fields.text('typ'),
    full: fields.flag('full'),
    leeway: fields.raw('leeway') !== undefined,
    keys: readKeys(fields),
  };
}

export function readValidator(fields: Fields, problems: string[]): Validator {
  const audience = fields.raw('audience');
  return {
    alg: fields.text('alg') ?? DEFAULT_ALG,
    issuer: given(fields.text('issuer')),
    // A single string is a frequent mistake, and its meaning is clear.
    audience: (typeof audience === 'string' ? [audience] : fields.texts('audience')).filter(
      (name) => name !== '',
    ),
    roles: fields.texts('roles'),
    rolesKey: fields.text('roles_key'),
    rolesKeyIsNested: fields.flag('roles_key_is_nested'),
    scopes: fields.texts('scopes'),
    scopesKey: fields.text('scopes_key'),
    scopesMatcher: fields.text('scopes_matcher'),
    propagateClaims: readPairs(fields, problems),
    repeatLists: fields.flag('propagate_claims_preserve_array'),
    authHeaderName: fields.text('auth_header_name'),
    cookieKey: fields.text('cookie_key'),
    leewayMs: fields.milliseconds('leeway'),
    identifyStrategy: fields.text('key_identify_strategy'),
    cache: fields.flag('cache'),
    cacheDuration: fields.whole('cache_duration') ?? fields.whole('shared_cache_duration'),
    cooldownMs: fields.milliseconds('failed_jwk_key_cooldown'),
    operationDebug: fields.flag('operation_debug'),
    keys: readKeys(fields),
  };
}

export function readRevoker(fields: Fields): Revoker {
  return {
    tokenKeys: fields.texts('token_keys'),
    ttl: fields.whole('TTL'),
    port: fields.whole('port'),
  };
}

function readKeys(fields: Fields): KeyOptions {
  const encrypted = [fields.raw('secret_url'), fields.raw('cypher_key')];
  return {
    path: given(fields.text('jwk_local_path')),
    url: given(fields.text('jwk_url')),
    disableSecurity: fields.flag('disable_jwk_security'),
    fingerprints: fields.texts('jwk_fingerprints'),
    ca: fields.text('jwk_local_ca'),
    encrypted: encrypted.some((value) => value !== undefined),
  };
}

function readPairs(fields: Fields, problems: string[]): Validator['propagateClaims'] {
  const value = fields.raw('propagate_claims');
  if (value === undefined) return [];
  const pairs = Array.isArray(value) ? (value as unknown[]) : [undefined];
  const isPair = (pair: unknown): pair is [string, string] =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((item) => typeof item === 'string' && item !== '' && !/\p{Cc}/u.test(item)) &&
    /^[\w!#$%&'*+.^`|~-]+$/.test(String(pair[1]));
  if (pairs.every(isPair)) return pairs;
  problems.push(`${fields.where}: 'propagate_claims' is not a list of [claim, header] pairs`);
  return [];
}

/** Treats an empty text as missing. */
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
