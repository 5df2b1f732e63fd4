import { hash, type JsonWebKey } from 'node:crypto';
import { keyMisfit, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { ImportedKey } from './import-jwk.js';
import { KeyError } from './key.error.js';
import { parseKeySet } from './parse-key-set.js';

/** The kid that stands for the one active key of an algorithm. */
export const AUTO_KID = 'auto';

/** How a token names its key: by `kid`, by certificate thumbprint, or by either. */
export type KeyIdentifyStrategy = 'kid' | 'x5t' | 'x5t#S256' | 'kid_x5t';

/** The members of a JWS header that can name a key. */
export interface KeyNames {
  readonly kid?: string;
  readonly x5t?: string;
  readonly x5tS256?: string;
}

/** An immutable set of checked keys, and the rules by which one of them is selected. */
export class KeySet {
  /** Selected once per algorithm and kid, since it happens for every token. */
  private readonly signers = new Map<string, JwsKey>();
  private readonly byX5t: ReadonlyMap<string, ImportedKey>;
  private readonly byX5tS256: ReadonlyMap<string, ImportedKey>;

  private constructor(
    /** Where the set comes from, for messages: a path or a URL. */
    readonly source: string,
    private readonly keys: ReadonlyMap<string, ImportedKey>,
    /** What was skipped, and why, by kid. */
    readonly skipped: ReadonlyMap<string, string>,
  ) {
    this.byX5t = indexBy(keys, ({ certificate }) => certificate?.x5t);
    this.byX5tS256 = indexBy(keys, ({ certificate }) => certificate?.x5tS256);
  }

  /**
   * Parses a JWK Set or a single JWK (RFC 7517 sections 4 and 5) and checks each key once.
   *
   * @param text the JSON
   * @param source what messages call it
   * @param publicOnly the set is somebody else's: see `KeyProvider`
   * @throws KeyError when any key must not be used: a set is taken as a whole or not at all
   */
  static parse(text: string, source: string, publicOnly = false): KeySet {
    const { keys, skipped } = parseKeySet(text, source, publicOnly);
    return new KeySet(source, keys, skipped);
  }

  /** The key with this kid, compared exactly; whatever its state. */
  get(kid: string): JwsKey | undefined {
    return this.keys.get(kid)?.key;
  }

  /** All keys with what is known of them, in the order of the file. */
  entries(): ImportedKey[] {
    return [...this.keys.values()];
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
   * The key that verifies a token.
   *
   * @param now seconds since 1970
   * @returns `undefined` when no key has that name, or it is retired or past its time
   */
  verifier(names: KeyNames, strategy: KeyIdentifyStrategy, now: number): JwsKey | undefined {
    const found = this.find(names, strategy);
    if (found === undefined || found.lifecycle === undefined) return found?.key;
    const { state, notAfter = Infinity } = found.lifecycle;
    return state === 'retired' || now >= notAfter ? undefined : found.key;
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
    return hash('sha256', JSON.stringify([keys, [...this.skipped]]), 'base64url');
  }

  /** For messages: the kids of the set, at most ten. */
  describeKids(): string {
    const kids = [...this.keys.keys(), ...this.skipped.keys()];
    return kids.slice(0, 10).join(', ') + (kids.length > 10 ? `, … ${kids.length} in all` : '');
  }

  private find(names: KeyNames, strategy: KeyIdentifyStrategy): ImportedKey | undefined {
    const { kid = '', x5t = '', x5tS256 = '' } = names;
    switch (strategy) {
      case 'kid':
        return this.keys.get(kid);
      case 'x5t':
        return this.byX5t.get(x5t);
      case 'x5t#S256':
        return this.byX5tS256.get(x5tS256);
      default:
        return this.keys.get(kid) ?? this.byX5tS256.get(x5tS256) ?? this.byX5t.get(x5t);
    }
  }

  private selectSigner(alg: JwsAlgorithm, kid: string): JwsKey {
    const found =
      kid === AUTO_KID ? this.activeKey(alg) : (this.keys.get(kid) ?? this.byThumbprint(kid));
    if (found === undefined)
      throw new KeyError(
        this.skipped.has(kid)
          ? `JWK ${this.source}: ${this.skipped.get(kid)}`
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
        `kid 'auto': JWK ${this.source} has ${able.length} active keys for ${alg}, exactly one is needed (present: ${this.describeKids()})`,
      );
    return first;
  }
}

function indexBy(
  keys: ReadonlyMap<string, ImportedKey>,
  name: (key: ImportedKey) => string | undefined,
): ReadonlyMap<string, ImportedKey> {
  return new Map(
    [...keys.values()].flatMap((key) => {
      const id = name(key);
      return id === undefined ? [] : [[id, key] as const];
    }),
  );
}
