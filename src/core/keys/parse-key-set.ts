import { hasDuplicateMembers, isJsonObject } from '../json/index.js';
import { importJwk, type ImportedKey } from './import-jwk.js';
import { KeyError } from './key.error.js';

/** Bounds for hostile input. */
const MAX_KEYS = 5000;
const MAX_PUBLISHED_KEYS = 200;

/** The keys of a set by kid, and why others were skipped. */
export interface ParsedKeySet {
  readonly keys: ReadonlyMap<string, ImportedKey>;
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Parses a JWK Set or a single JWK and imports each key.
 *
 * @param publicOnly only public keys; what is not for signatures is skipped instead of refused
 * @throws KeyError naming source and kid, never a key
 */
export function parseKeySet(text: string, source: string, publicOnly: boolean): ParsedKeySet {
  try {
    const jwks = listKeys(text, publicOnly ? MAX_PUBLISHED_KEYS : MAX_KEYS);
    const parsed = importAll(jwks, publicOnly);
    const { size } = parsed.keys;
    if (publicOnly ? size === 0 : size + parsed.skipped.size === 0)
      throw new KeyError('there is no key');
    return parsed;
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(`${source}: ${error.message}`);
    throw error;
  }
}

function importAll(jwks: readonly unknown[], publicOnly: boolean): ParsedKeySet {
  const keys = new Map<string, ImportedKey>();
  const skipped = new Map<string, string>();
  for (const jwk of jwks) {
    if (publicOnly) assertPublic(jwk);
    const useless = publicOnly ? uselessHere(jwk) : undefined;
    const imported = useless ?? importJwk(jwk);
    const kid = kidOf(jwk);
    if (keys.has(kid) || (skipped.has(kid) && kid !== ''))
      throw new KeyError(`kid '${kid}' is there twice; each key needs its own`);
    if (typeof imported === 'string') skipped.set(kid, imported);
    else keys.set(kid, imported);
  }
  return { keys, skipped };
}

/** Providers publish keys for encryption and keys without a kid beside those for signatures. */
function uselessHere(jwk: unknown): string | undefined {
  if (!isJsonObject(jwk)) return undefined;
  const kid = kidOf(jwk);
  if (kid === '') return 'a key without a kid is skipped';
  return jwk.use !== undefined && jwk.use !== 'sig'
    ? `kid '${kid}' is skipped: it is not for signatures`
    : undefined;
}

/** Any of them: half a private key is as good a sign of a leak as a whole one. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'priv'];

function assertPublic(jwk: unknown): void {
  if (!isJsonObject(jwk)) return;
  if (jwk.kty === 'oct' || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)))
    throw new KeyError(`kid '${kidOf(jwk)}' is a secret or private key, which nobody may publish`);
}

function kidOf(jwk: unknown): string {
  const kid = isJsonObject(jwk) ? jwk.kid : undefined;
  return typeof kid === 'string' ? kid : '';
}

function listKeys(text: string, most: number): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds keys.
    throw new KeyError('not valid JSON');
  }
  if (!isJsonObject(value)) throw new KeyError('neither a JWK Set nor a JWK');
  if (hasDuplicateMembers(text, value)) throw new KeyError('a JSON object names a member twice');
  const keys: unknown = Object.hasOwn(value, 'keys') ? value.keys : [value];
  if (!Array.isArray(keys)) throw new KeyError("'keys' is not a list");
  if (keys.length > most) throw new KeyError(`more than ${most} keys`);
  return keys;
}
