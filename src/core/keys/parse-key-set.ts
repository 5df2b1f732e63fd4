import { hasDuplicateMembers, isJsonObject, withoutMark } from '../json/index.js';
import { importJwk, type ImportedKey } from './import-jwk.js';
import { KeyError, quote } from './key.error.js';

/** Largest number of keys in an own and in a published set, against hostile input. */
const MAX_KEYS = 5000;
const MAX_PUBLISHED_KEYS = 200;

/** The usable keys of a set in their order, and the skipped ones with the reason. */
export interface ParsedKeySet {
  readonly keys: readonly ImportedKey[];
  readonly skipped: readonly SkippedKey[];
}

/** A key that is not used. */
export interface SkippedKey {
  /** Empty for a key without a kid. */
  readonly kid: string;
  readonly reason: string;
  /** How many keys this entry stands for. Default 1. */
  readonly count?: number;
}

/**
 * Parses a JWK Set or a single JWK and imports each key.
 *
 * In an own set, one bad key makes the whole set invalid. In a set that another party publishes, an unusable key is
 * skipped and the others are used (RFC 7517 section 5). A private or symmetric key makes a published set invalid,
 * since that key is compromised.
 *
 * @param published true for the set of another party, which may contain public keys only
 * @throws KeyError with source and kid in its message, never a key
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
    // A duplicate counts once. Different keys may share a kid; then their algorithm selects one.
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

/** One of these members is enough to refuse a key: a part of a private key is a leak as well. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'priv'];

function assertPublic(jwk: unknown): void {
  if (!isJsonObject(jwk)) return;
  if (jwk.kty === 'oct' || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)))
    throw new KeyError(
      `kid '${kidOf(jwk)}' is a secret or private key, which must not be published`,
    );
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
  // In a published set, the last duplicate member is used, as RFC 7517 section 4 allows: only its owner can correct it.
  if (!published && hasDuplicateMembers(text, value))
    throw new KeyError('a JSON object names a member twice');
  const keys: unknown = Object.hasOwn(value, 'keys') ? value.keys : [value];
  if (!Array.isArray(keys)) throw new KeyError("'keys' is not a list");
  return keys;
}
