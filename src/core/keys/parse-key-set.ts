import { hasDuplicateMembers, isJsonObject, withoutMark } from '../json/index.js';
import { importJwk, type ImportedKey } from './import-jwk.js';
import { KeyError, quote } from './key.error.js';

/** Bounds for hostile input. */
const MAX_KEYS = 5000;
const MAX_PUBLISHED_KEYS = 200;

/** The keys of a set in its order, and why others were skipped, a line each. */
export interface ParsedKeySet {
  readonly keys: readonly ImportedKey[];
  readonly skipped: readonly SkippedKey[];
}

/** A key that is not used. */
export interface SkippedKey {
  /** Empty where it has none. */
  readonly kid: string;
  readonly reason: string;
  /** How many keys it stands for. Left out: one. */
  readonly count?: number;
}

/**
 * Parses a JWK Set or a single JWK and imports each key.
 *
 * Own sets are taken as a whole: one bad key refuses the set. In a set that somebody else publishes each
 * key stands for itself (RFC 7517 section 5): one that cannot be used is skipped and the rest serve. Private
 * or symmetric material in a published set refuses it: its owner has lost it.
 *
 * @param published the set is somebody else's: public keys only
 * @throws KeyError naming source and kid, never a key
 */
export function parseKeySet(text: string, source: string, published: boolean): ParsedKeySet {
  try {
    const jwks = listKeys(text, published);
    const parsed = published ? importPublished(jwks) : importOwn(jwks);
    const { length } = parsed.keys;
    if (published ? length === 0 : length + parsed.skipped.length === 0)
      throw new KeyError(
        `there is no ${parsed.skipped.length > 0 ? 'usable ' : ''}key${parsed.skipped
          .slice(0, 3)
          .map(({ reason }) => `; ${reason}`)
          .join('')}`,
      );
    return parsed;
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(`${source}: ${error.message}`);
    throw error;
  }
}

function importOwn(jwks: readonly unknown[]): ParsedKeySet {
  if (jwks.length > MAX_KEYS) throw new KeyError(`more than ${MAX_KEYS} keys`);
  const keys: ImportedKey[] = [];
  const skipped: SkippedKey[] = [];
  const kids = new Set<string>();
  for (const jwk of jwks) {
    const imported = importJwk(jwk);
    const kid = kidOf(jwk);
    if (kids.has(kid)) throw new KeyError(`kid '${kid}' is there twice; each key needs its own`);
    kids.add(kid);
    if (typeof imported === 'string') skipped.push({ kid, reason: imported });
    else keys.push(imported);
  }
  return { keys, skipped };
}

function importPublished(jwks: readonly unknown[]): ParsedKeySet {
  for (const jwk of jwks) assertPublic(jwk);
  const keys: ImportedKey[] = [];
  const skipped: SkippedKey[] = [];
  const count = jwks.length - MAX_PUBLISHED_KEYS;
  if (count > 0)
    skipped.push({
      kid: '',
      reason: `there are ${jwks.length} keys; those after the first ${MAX_PUBLISHED_KEYS} are skipped`,
      count,
    });
  const seen = new Set<string>();
  for (const jwk of jwks.slice(0, MAX_PUBLISHED_KEYS)) {
    const imported = tryImport(jwk);
    if (typeof imported === 'string') {
      skipped.push({ kid: kidOf(jwk), reason: imported });
      continue;
    }
    // The same key twice is one key; others may share a kid, and their algorithm decides.
    const id = JSON.stringify([imported.key.kid, imported.thumbprint, imported.key.alg]);
    if (!seen.has(id)) keys.push(imported);
    seen.add(id);
  }
  return { keys, skipped };
}

function tryImport(jwk: unknown): ImportedKey | string {
  try {
    const imported = importJwk(jwk, { lenient: true });
    if (typeof imported === 'string') return imported;
    return imported.key.verifying === undefined
      ? `kid ${quote(imported.key.kid)} is skipped: key_ops does not allow 'verify'`
      : imported;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return `${error.message}; it is skipped`;
  }
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

function listKeys(text: string, published: boolean): unknown[] {
  let value: unknown;
  try {
    // A byte order mark is ignored, as RFC 8259 section 8.1 allows.
    value = JSON.parse(withoutMark(text));
  } catch {
    // The parser's message quotes the text, which holds keys.
    throw new KeyError('not valid JSON');
  }
  if (!isJsonObject(value)) throw new KeyError('neither a JWK Set nor a JWK');
  // In sets of others the last one counts (RFC 7517 section 4); nobody but their owner writes them.
  if (!published && hasDuplicateMembers(text, value))
    throw new KeyError('a JSON object names a member twice');
  const keys: unknown = Object.hasOwn(value, 'keys') ? value.keys : [value];
  if (!Array.isArray(keys)) throw new KeyError("'keys' is not a list");
  return keys;
}
