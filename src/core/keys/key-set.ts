import { hash, type JsonWebKey } from 'node:crypto';
import { isJwsAlgorithm, keyMisfit, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { ImportedKey } from './import-jwk.js';
import { KeyError } from './key.error.js';
import { parseKeySet, type SkippedKey } from './parse-key-set.js';

/** The kid that stands for the one active key of an algorithm. */
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

/** What is known of a set: for whoever asks why a token finds no key in it. */
export interface KeyInventory {
  /** Where it comes from, without secrets. */
  readonly source: string;
  readonly keys: readonly JwsKey[];
  readonly skipped: readonly SkippedKey[];
  /** `alg` values that its owner announces; others find no key. `undefined` where it announces none. */
  readonly algorithms?: readonly string[];
  /** Why there is no usable set at the source now; `undefined` where there is one. */
  readonly problem?: string;
}

const NONE: readonly JwsKey[] = [];

/** An immutable set of checked keys, and the rules by which one of them is selected. */
export class KeySet {
  /** Selected once per algorithm and kid, since it happens for every token. */
  private readonly signers = new Map<string, JwsKey>();
  private readonly byKid: ReadonlyMap<string, readonly ImportedKey[]>;
  private readonly byX5t: ReadonlyMap<string, readonly ImportedKey[]>;
  private readonly byX5tS256: ReadonlyMap<string, readonly ImportedKey[]>;

  private constructor(
    /** Where the set comes from, for messages: a path or a URL. */
    readonly source: string,
    private readonly keys: readonly ImportedKey[],
    /** What was skipped, and why. */
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
   * @param source what messages call it
   * @param published the set is somebody else's: see {@link parseKeySet}
   * @throws KeyError when the set must not be used
   */
  static parse(text: string, source: string, published = false): KeySet {
    const { keys, skipped } = parseKeySet(text, source, published);
    return new KeySet(source, keys, skipped);
  }

  /** The key with this kid, compared exactly; whatever its state. Of several in a set of others the first. */
  get(kid: string): JwsKey | undefined {
    return this.byKid.get(kid)?.[0]?.key;
  }

  /** All keys with what is known of them, in the order of the file. */
  entries(): readonly ImportedKey[] {
    return this.keys;
  }

  /** All keys, in the order of the file. */
  all(): JwsKey[] {
    return this.entries().map(({ key }) => key);
  }

  /** The public halves that may be published (RFC 7517 section 9); never symmetric, never retired ones. */
  get publicJwks(): readonly JsonWebKey[] {
    return this.entries().flatMap(({ publicJwk, lifecycle }) =>
      publicJwk === undefined || lifecycle?.state === 'retired' ? [] : [publicJwk],
    );
  }

  /**
   * The key that signs with `alg`: by kid, by RFC 7638 thumbprint, or with {@link AUTO_KID} the active one.
   *
   * @throws KeyError when there is none, or it cannot sign with `alg`
   */
  signer(alg: JwsAlgorithm, kid: string): JwsKey {
    const name = `${alg} ${kid}`;
    let key = this.signers.get(name);
    if (key === undefined) this.signers.set(name, (key = this.selectSigner(alg, kid)));
    return key;
  }

  /**
   * The keys that a token may be verified with: those that its header names, or without a name the one
   * that fits its algorithm. More than one only where a set of others has a kid twice.
   *
   * @param now seconds since 1970
   * @returns keys that fit `names.alg`; those of the name that do not fit where none does; empty when no
   * key has that name, or it is retired or past its time
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
   * The same for two sets with the same keys in the same states, however they are written: a digest of
   * thumbprints (RFC 7638), names and states.
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

  /** For messages: the kids of the set, at most ten. */
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
        // Both together are the name; a thumbprint that is there has to match.
        return (this.byKid.get(kid ?? '') ?? []).filter(
          ({ certificate }) =>
            (x5t !== undefined || x5tS256 !== undefined) &&
            (x5t === undefined || certificate?.x5t === x5t) &&
            (x5tS256 === undefined || certificate?.x5tS256 === x5tS256),
        );
    }
  }

  /** For a token without a kid: the one key of the set that fits; two that do are none. */
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

  /** The one key that signs with `alg` without being named. */
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
