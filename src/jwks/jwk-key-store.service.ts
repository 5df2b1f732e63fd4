import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { algorithmSpec, type JwsAlgorithm, type JwsKey } from '../core/jws/index.js';
import { createDevelopmentKey } from './development-key.js';
import {
  KeyError,
  type KeyIdentifyStrategy,
  type KeyInventory,
  type KeyNames,
  type KeySource,
  type RotatingKey,
  type SkippedKey,
} from '../core/keys/index.js';
import { assertVerifies } from './key-set-checks.js';
import { KeySources } from './key-sources.js';
import { KeysUnavailableException } from './keys-unavailable.exception.js';
import type { LiveKeySet } from './live-key-set.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';
import { nowSeconds } from '../core/time/index.js';

const NO_KEYS: readonly JwsKey[] = [];

/** Public information about a key. */
export interface KeyReport extends RotatingKey {
  /** The `alg` of the key, which it is limited to; without one its key type. */
  readonly alg: string;
}

/** A report about a key set, for operators. */
export interface KeySetReport {
  /** The source of the set, without secrets. */
  readonly source: string;
  /** True if tokens are signed with keys of this set. */
  readonly signs: boolean;
  /** Seconds since the set was loaded; `undefined` while there is none. */
  readonly ageSeconds: number | undefined;
  /** Seconds since the source stopped giving a usable set; 0 while it gives one. */
  readonly staleSeconds: number;
  /** Why the source gives no usable set; `undefined` while it gives one. */
  readonly problem: string | undefined;
  readonly keys: readonly KeyReport[];
  readonly skipped: readonly SkippedKey[];
}

/**
 * The keys of the gateway, which are updated while it runs. Code outside of `jwks/` does not see how they are fetched.
 * A method with a parameter `source` uses only the set of that source. Default: the configured verification keys.
 */
@Injectable()
export class JwkKeyStore implements OnApplicationShutdown {
  private static readonly logger = new Logger(JwkKeyStore.name);

  private constructor(
    /** Source of the signing keys, for routes that accept only the gateway's own tokens. */
    readonly signingSource: KeySource,
    private readonly sources: KeySources,
    private readonly signing: LiveKeySet,
    private readonly verification: LiveKeySet,
    private readonly strategy: KeyIdentifyStrategy,
  ) {}

  /**
   * Loads and checks all key sets. An unreachable remote set is fetched again in the background.
   *
   * @throws BootError with one line per set that cannot be used
   */
  static async open(options: JwksModuleOptions): Promise<JwkKeyStore> {
    const { verification = options.signing, createMissing } = options;
    if (verification === undefined)
      throw new BootError(
        "JwksModule: neither 'signing' nor 'verification' says where the keys are: { path }, { url } or a KeyProvider",
      );
    const { signing = verification } = options;
    if (createMissing !== undefined && 'path' in signing) {
      const { alg, kid } = createMissing;
      if (await createDevelopmentKey(signing.path, alg, kid))
        this.logger.log(
          `Created ${signing.path} with a fresh ${alg} key '${kid}' (development only)`,
        );
    }
    const sources = new KeySources(options);
    await sources.open([
      { source: signing, publicOnly: options.signing === undefined },
      { source: verification, publicOnly: true },
    ]);
    return new JwkKeyStore(
      signing,
      sources,
      sources.get(signing),
      sources.get(verification),
      options.identifyStrategy ?? 'kid',
    );
  }

  /**
   * Opens a further verification set. Several calls for one source open one set.
   *
   * @param needed true: the process is not ready before the set has arrived
   * @throws BootError when the set cannot be used
   */
  openVerification(source: KeySource, needed = true): Promise<void> {
    return this.sources.open([{ source, publicOnly: true, needed }]);
  }

  /**
   * Opens a further verification set for a limited time, e.g. that of a tenant. The process is ready without it.
   *
   * @returns a function that ends the use. The set is closed when its last use ends
   * @throws KeyError when the set cannot be used. An unreachable remote set is fetched again in the background instead
   */
  leaseVerification(source: KeySource): Promise<() => void> {
    return this.sources.lease(source);
  }

  /**
   * Returns the key that signs with `alg` under `kid`, which may be a thumbprint or `auto`.
   *
   * @throws KeyError when there is no such key, or it cannot sign with `alg`
   * @throws KeysUnavailableException while a remote set has not arrived
   */
  signingKey(alg: JwsAlgorithm, kid: string): JwsKey {
    const { current } = this.signing;
    if (current === undefined) throw new KeysUnavailableException(this.signing.provider.source);
    return current.signer(alg, kid);
  }

  /**
   * Returns the keys that verify tokens with these names in their header; see `KeySet.verifiers`. It never waits.
   *
   * @throws KeysUnavailableException while there is no set at all
   */
  verificationKeys(names: KeyNames, source?: KeySource): readonly JwsKey[] {
    const { current, provider, strategy, algorithms } = this.live(source);
    if (current === undefined) throw new KeysUnavailableException(provider.source);
    if (algorithms?.includes(names.alg) === false) return NO_KEYS;
    // The gateway's own tokens always carry a kid, whatever the strategy for other tokens is.
    const by = source === this.signingSource ? 'kid' : (strategy ?? this.strategy);
    return current.verifiers(names, by, nowSeconds());
  }

  /**
   * Looks for an unknown key once more, after a remote set was fetched again. It is fetched at most once per cooldown,
   * within the deadline of one fetch.
   *
   * @throws KeysUnavailableException when the set was dropped meanwhile
   */
  async awaitVerificationKeys(names: KeyNames, source?: KeySource): Promise<readonly JwsKey[]> {
    // A header that names no key would not match a newer set, either.
    if (names.kid === undefined && names.x5t === undefined && names.x5tS256 === undefined)
      return NO_KEYS;
    const look = this.live(source).refetch();
    if (look === undefined) return NO_KEYS;
    await look;
    return this.verificationKeys(names, source);
  }

  /**
   * Accepts from now on only sets in which this key can sign.
   *
   * @throws KeyError when this key cannot sign in the present set
   */
  requireSigning(alg: JwsAlgorithm, kid: string): void {
    this.signing.require((candidate) => void candidate.signer(alg, kid));
  }

  /**
   * Accepts from now on only sets in which some key can verify `alg`. Remote sets are excepted, since their owners
   * choose the keys.
   *
   * @throws KeyError when no key of the present set can verify `alg`, with the reasons, or when `alg` needs a secret
   * and only public keys are accepted from the source
   */
  requireVerification(alg: JwsAlgorithm, source?: KeySource): void {
    const live = this.live(source);
    const { provider } = live;
    if (provider.publicOnly && algorithmSpec(alg).kty === 'oct')
      throw new KeyError(
        `JWK ${provider.source}: only public keys are taken from there, and ${alg} needs a secret`,
      );
    if (!provider.remote) live.require((candidate) => assertVerifies(candidate, alg));
  }

  /** Returns the contents of a set, for explanations of refusals. */
  inventory(source?: KeySource): KeyInventory {
    const { current, provider, algorithms, problem } = this.live(source);
    return {
      source: provider.source,
      keys: current?.all() ?? [],
      skipped: current?.skipped ?? [],
      algorithms,
      problem,
    };
  }

  /** Returns reports about all sets, that of the signing keys first. */
  reports(): KeySetReport[] {
    return this.sources
      .all()
      .map((live): KeySetReport => {
        const keys = (live.current?.entries() ?? []).map(({ key, lifecycle }) => ({
          kid: key.kid,
          alg: key.alg ?? key.kty,
          canSign: key.signing !== undefined,
          state: lifecycle?.state,
          notBefore: lifecycle?.notBefore,
          notAfter: lifecycle?.notAfter,
        }));
        return {
          source: live.provider.source,
          signs: live === this.signing && keys.some(({ canSign }) => canSign),
          ageSeconds: live.ageSeconds,
          staleSeconds: live.staleSeconds,
          problem: live.problem,
          keys,
          skipped: live.current?.skipped ?? [],
        };
      })
      .toSorted((one, other) => Number(other.signs) - Number(one.signs));
  }

  /** Returns the number of skipped keys of each set. */
  skippedCounts(): { source: string; skipped: number }[] {
    return this.sources.all().map(({ provider, current }) => ({
      source: provider.source,
      skipped: current?.skipped.reduce((sum, { count = 1 }) => sum + count, 0) ?? 0,
    }));
  }

  /** Returns the JWK Set to publish (RFC 7517 section 5): the public parts of the signing keys. */
  publicJwks(): { keys: readonly object[] } {
    return { keys: this.signing.current?.publicJwks ?? [] };
  }

  /**
   * True once every set that is needed has arrived. It stays true when a set is dropped later: taking the process out
   * of service would also stop the routes that need other keys.
   */
  ready(): boolean {
    return this.sources.all().every(({ arrived, needed }) => arrived || !needed);
  }

  /** Returns the sources of the keys, for messages. */
  describeSources(): { signing: string; verification: string } {
    return {
      signing: this.signing.provider.source,
      verification: this.verification.provider.source,
    };
  }

  /** Returns the seconds since each source stopped giving a usable set; 0 while it gives one. */
  staleSeconds(): { source: string; seconds: number }[] {
    return this.sources.all().map(({ provider, staleSeconds }) => ({
      source: provider.source,
      seconds: staleSeconds,
    }));
  }

  /** Returns the seconds since the set in use was loaded, for each source that has one. */
  ageSeconds(): { source: string; seconds: number }[] {
    return this.sources
      .all()
      .flatMap(({ provider: { source }, ageSeconds: seconds }) =>
        seconds === undefined ? [] : [{ source, seconds }],
      );
  }

  /** Reads every source again. The results are logged. */
  reload(): void {
    for (const live of this.sources.all()) live.reload();
  }

  onApplicationShutdown(): void {
    this.sources.close();
  }

  private live(source: KeySource | undefined): LiveKeySet {
    return source === undefined ? this.verification : this.sources.get(source);
  }
}
