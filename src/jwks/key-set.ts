import type { JsonWebKey } from 'node:crypto';
import { hasDuplicateMembers, isJsonObject } from '../common/json.js';
import type { JwsKey } from '../jws/index.js';
import { importJwk } from './import-jwk.js';
import { KeyProblem } from './key-problem.js';

/** Bounds for hostile input. */
const MAX_KEYS = 5000;

/** An immutable set of checked keys, found by kid. */
export class KeySet {
  private constructor(
    /** Where the set comes from, for messages: a path or a URL. */
    readonly source: string,
    private readonly keys: ReadonlyMap<string, JwsKey>,
    /** The public halves as they may be published (RFC 7517 section 9: symmetric keys never). */
    readonly publicJwks: readonly JsonWebKey[],
    /** What was skipped, and why, by kid. */
    readonly skipped: ReadonlyMap<string, string>,
  ) {}

  /**
   * Parses a JWK Set or a single JWK (RFC 7517 sections 4 and 5) and checks each key once.
   *
   * @param text the JSON
   * @param source what messages call it
   * @throws KeyProblem when any key must not be used: a set is taken as a whole or not at all
   */
  static parse(text: string, source: string): KeySet {
    const keys = new Map<string, JwsKey>();
    const publicJwks: JsonWebKey[] = [];
    const skipped = new Map<string, string>();
    for (const jwk of listKeys(text, source)) {
      const imported = inSource(source, () => importJwk(jwk));
      if (typeof imported === 'string') {
        skipped.set((jwk as { kid: string }).kid, imported);
        continue;
      }
      const { key, publicJwk } = imported;
      if (keys.has(key.kid) || skipped.has(key.kid))
        throw new KeyProblem(`${source}: kid '${key.kid}' is there twice; each key needs its own`);
      keys.set(key.kid, key);
      if (publicJwk !== undefined) publicJwks.push(publicJwk);
    }
    if (keys.size + skipped.size === 0) throw new KeyProblem(`${source}: there is no key`);
    return new KeySet(source, keys, publicJwks, skipped);
  }

  /** The key with this kid, compared exactly. */
  get(kid: string): JwsKey | undefined {
    return this.keys.get(kid);
  }

  /** All keys, in the order of the file. */
  all(): JwsKey[] {
    return [...this.keys.values()];
  }

  /** For messages: the kids of the set, at most ten. */
  describeKids(): string {
    const kids = [...this.keys.keys(), ...this.skipped.keys()];
    return kids.slice(0, 10).join(', ') + (kids.length > 10 ? `, … ${kids.length} in all` : '');
  }
}

function listKeys(text: string, source: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds keys.
    throw new KeyProblem(`${source}: not valid JSON`);
  }
  if (!isJsonObject(value)) throw new KeyProblem(`${source}: neither a JWK Set nor a JWK`);
  if (hasDuplicateMembers(text, value))
    throw new KeyProblem(`${source}: a JSON object names a member twice`);
  const keys: unknown = Object.hasOwn(value, 'keys') ? value.keys : [value];
  if (!Array.isArray(keys)) throw new KeyProblem(`${source}: 'keys' is not a list`);
  if (keys.length > MAX_KEYS) throw new KeyProblem(`${source}: more than ${MAX_KEYS} keys`);
  return keys;
}

function inSource<T>(source: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeyProblem) throw new KeyProblem(`${source}: ${error.message}`);
    throw error;
  }
}
