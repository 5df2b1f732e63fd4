import { hash, type JsonWebKey } from 'node:crypto';
import { isJwsAlgorithm, keyMisfit, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { ImportedKey } from './import-jwk.js';
import { KeyError } from './key.error.js';
import { parseKeySet, type SkippedKey } from './parse-key-set.js';

/** The kid that selects the only active key of an algorithm. */
export const AUTO_KID = 'auto';

/** How a token names its key: by `kid`, by a certificate thumbprint, or by `kid` and thumbprint together. */
export type KeyIdentifyStrategy = 'kid' | 'x5t' | 'x5t#S256' | 'kid_x5t';

/** The members of a JWS header that select a key. */
export interface KeyNames {
  readonly alg: string;
  readonly kid?: string;
  readonly x5t?: string;
  readonly x5tS256?: string;
}

/** The contents of a set, to explain why it has no key for a token. */
export interface KeyInventory {
  /** Path or URL of the set, without secrets. */
  readonly source: string;
  readonly keys: readonly JwsKey[];
  readonly skipped: readonly SkippedKey[];
  /** `alg` values that the owner announces: tokens with another one find no key. `undefined`: it announces none. */
  readonly algorithms?: readonly string[];
  /** Why the source has no usable set now; `undefined` if it has one. */
  readonly problem?: string;
}

const NONE: readonly JwsKey[] = [];

/** An immutable set of checked keys with the rules that select one of them. */
export class KeySet {
  /** Cache of {@link signer} by algorithm and kid, since it is called for every token. */
  private readonly signers = new Map<string, JwsKey>();
  private readonly byKid: ReadonlyMap<string, readonly ImportedKey[]>;
  private readonly byX5t: ReadonlyMap<string, readonly ImportedKey[]>;
  private readonly byX5tS256: ReadonlyMap<string, readonly ImportedKey[]>;

  private constructor(
    /** Path or URL of the set, for messages. */
    readonly source: string,
    private readonly keys: readonly ImportedKey[],
    /** The keys that were skipped, with the reason. */
    readonly skipped: readonly SkippedKey[],
  ) {
    this.byKid = groupBy(keys, ({ key }) => key.kid);
    this.byX5t = groupBy(keys, ({ certificate }) => certificate?.x5t);
    this.byX5tS256 = groupBy(keys, ({ certificate }) => certificate?.x5tS256);
  }

  /**
   * Parses a JWK Set or a single JWK (RFC 7517 sections 4 and 5) and checks each key once.
   *
   * @param text the JSON
   * @param source name of the set in messages
   * @param published true for the set of another party, see {@link parseKeySet}
   * @throws KeyError for a set that must not be used
   */
  static parse(text: string, source: string, published = false): KeySet {
    const { keys, skipped } = parseKeySet(text, source, published);
    return new KeySet(source, keys, skipped);
  }

  /** Returns the key with exactly this kid, in any state. If a published set has several, the first one. */
  get(kid: string): JwsKey | undefined {
    return this.byKid.get(kid)?.[0]?.key;
  }

  /** Returns all keys with their metadata, in the order of the file. */
  entries(): readonly ImportedKey[] {
    return this.keys;
  }

  /** Returns all keys, in the order of the file. */
  all(): JwsKey[] {
    return this.entries().map(({ key }) => key);
  }

  /** The public keys that may be published (RFC 7517 section 9): neither symmetric nor retired keys. */
  get publicJwks(): readonly JsonWebKey[] {
    return this.entries().flatMap(({ publicJwk, lifecycle }) =>
      publicJwk === undefined || lifecycle?.state === 'retired' ? [] : [publicJwk],
    );
  }

  /**
   * Returns the key that signs with `alg`: by kid, by RFC 7638 thumbprint, or with {@link AUTO_KID} the active key.
   *
   * @throws KeyError if there is no such key, or it cannot sign with `alg`
   */
  signer(alg: JwsAlgorithm, kid: string): JwsKey {
    const name = `${alg} ${kid}`;
    let key = this.signers.get(name);
    if (key === undefined) this.signers.set(name, (key = this.selectSigner(alg, kid)));
    return key;
  }

  /**
   * Returns the keys that may verify a token: those that its header names or, if it names none, the only key that fits
   * its algorithm. Several keys are returned only if a published set has a kid more than once.
   *
   * @param now seconds since 1970
   * @returns the named keys that fit `names.alg`; if none fits, all named keys; an empty list if no key has that name,
   * or it is retired or past its `not_after`
   */
  verifiers(names: KeyNames, strategy: KeyIdentifyStrategy, now: number): readonly JwsKey[] {
    const { alg } = names;
    const found = this.find(names, strategy);
    const [only, second] = found;
    if (only === undefined) return NONE;
    if (second === undefined) return isInUse(only, now) ? only.alone : NONE;
    const inUse = found.filter((key) => isInUse(key, now)).map(({ key }) => key);
    const fitting = inUse.filter((key) => isJwsAlgorithm(alg) && keyMisfit(key, alg) === undefined);
    return fitting.length > 0 ? fitting : inUse;
  }

  /**
   * Digest of the thumbprints (RFC 7638), names and states of all keys: equal for two sets with the same keys in the
   * same states, however they are written.
   */
  get fingerprint(): string {
    const keys = this.entries().map(({ key, thumbprint, lifecycle, certificate }) => [
      key.kid,
      key.alg,
      thumbprint,
      key.signing !== undefined,
      key.verifying !== undefined,
      lifecycle,
      certificate,
    ]);
    return hash('sha256', JSON.stringify([keys, this.skipped]), 'base64url');
  }

  /** Returns the kids of the set for messages, at most ten. */
  describeKids(): string {
    const kids = [...this.keys.map(({ key }) => key.kid), ...this.skipped.map(({ kid }) => kid)];
    return kids.slice(0, 10).join(', ') + (kids.length > 10 ? `, … ${kids.length} in all` : '');
  }

  private find(names: KeyNames, strategy: KeyIdentifyStrategy): readonly ImportedKey[] {
    const { kid, x5t, x5tS256 } = names;
    switch (strategy) {
      case 'kid':
        return kid === undefined ? this.unnamed(names.alg) : (this.byKid.get(kid) ?? []);
      case 'x5t':
        return this.byX5t.get(x5t ?? '') ?? [];
      case 'x5t#S256':
        return this.byX5tS256.get(x5tS256 ?? '') ?? [];
      default:
        // The kid and at least one thumbprint are required, and each given thumbprint has to match.
        return (this.byKid.get(kid ?? '') ?? []).filter(
          ({ certificate }) =>
            (x5t !== undefined || x5tS256 !== undefined) &&
            (x5t === undefined || certificate?.x5t === x5t) &&
            (x5tS256 === undefined || certificate?.x5tS256 === x5tS256),
        );
    }
  }

  /** Returns the key for a token without a kid: the only key that fits. If several fit, none is returned. */
  private unnamed(alg: string): readonly ImportedKey[] {
    if (!isJwsAlgorithm(alg)) return [];
    const fitting = this.keys.filter(
      ({ key, lifecycle }) =>
        keyMisfit(key, alg) === undefined &&
        key.verifying !== undefined &&
        lifecycle?.state !== 'retired',
    );
    return fitting.length === 1 ? fitting : [];
  }

  private selectSigner(alg: JwsAlgorithm, kid: string): JwsKey {
    const found =
      kid === AUTO_KID ? this.activeKey(alg) : (this.byKid.get(kid)?.[0] ?? this.byThumbprint(kid));
    const skipped = this.skipped.find((key) => key.kid === kid);
    if (found === undefined)
      throw new KeyError(
        skipped !== undefined
          ? `JWK ${this.source}: ${skipped.reason}`
          : `kid '${kid}' not found in JWK ${this.source} (present: ${this.describeKids()})`,
      );
    const { key, lifecycle } = found;
    const misfit = keyMisfit(key, alg);
    if (misfit !== undefined) throw new KeyError(`${misfit} (JWK ${this.source})`);
    if (key.signing === undefined)
      throw new KeyError(
        `kid '${kid}' in JWK ${this.source} cannot sign: it is a public key, or key_ops forbids it`,
      );
    if (lifecycle !== undefined && lifecycle.state !== 'active')
      throw new KeyError(
        `kid '${kid}' in JWK ${this.source} does not sign: its state is ${lifecycle.state}; kid 'auto' follows the active key`,
      );
    return key;
  }

  private byThumbprint(name: string): ImportedKey | undefined {
    return this.entries().find(({ thumbprint }) => thumbprint === name);
  }

  /** Returns the only active key that can sign with `alg`. */
  private activeKey(alg: JwsAlgorithm): ImportedKey {
    const able = this.entries().filter(
      ({ key, lifecycle }) =>
        key.signing !== undefined &&
        keyMisfit(key, alg) === undefined &&
        (lifecycle === undefined || lifecycle.state === 'active'),
    );
    const [first, second] = able;
    if (first === undefined || second !== undefined)
      throw new KeyError(
        `kid 'auto': JWK ${this.source} has ${able.length} active keys for ${alg}, exactly one is needed (present: ${this.describeKids()})${
          first === undefined
            ? this.skipped
                .slice(0, 3)
                .map(({ reason }) => `; ${reason}`)
                .join('')
            : ''
        }`,
      );
    return first;
  }
}

function isInUse({ lifecycle }: ImportedKey, now: number): boolean {
  if (lifecycle === undefined) return true;
  const { state, notAfter = Infinity } = lifecycle;
  return state !== 'retired' && now < notAfter;
}

function groupBy(
  keys: readonly ImportedKey[],
  name: (key: ImportedKey) => string | undefined,
): ReadonlyMap<string, readonly ImportedKey[]> {
  const groups = new Map<string, ImportedKey[]>();
  for (const key of keys) {
    const id = name(key);
    if (id === undefined) continue;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [key]);
    else group.push(key);
  }
  return groups;
}
