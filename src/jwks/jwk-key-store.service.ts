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

/** What is known of a key; nothing secret. */
export interface KeyReport extends RotatingKey {
  /** The only algorithm that it is for, else its type. */
  readonly alg: string;
}

/** A set of keys, for whoever looks after the process. */
export interface KeySetReport {
  /** Where it comes from, without secrets. */
  readonly source: string;
  /** Tokens are signed with keys of it. */
  readonly signs: boolean;
  /** Since it was loaded; `undefined` while there is none. */
  readonly ageSeconds: number | undefined;
  /** Since the source stopped giving a usable set; 0 while it does. */
  readonly staleSeconds: number;
  /** Why it does not; `undefined` while it does. */
  readonly problem: string | undefined;
  readonly keys: readonly KeyReport[];
  readonly skipped: readonly SkippedKey[];
}

/**
 * The keys of the gateway, followed while it runs. Nothing outside of `jwks/` sees how they are
 * fetched. Where a method takes a `source`, it means that set only; left out, the configured one.
 */
@Injectable()
export class JwkKeyStore implements OnApplicationShutdown {
  private static readonly logger = new Logger(JwkKeyStore.name);

  private constructor(
    /** Where the signing keys come from; for routes that take the gateway's own tokens only. */
    readonly signingSource: KeySource,
    private readonly sources: KeySources,
    private readonly signing: LiveKeySet,
    private readonly verification: LiveKeySet,
    private readonly strategy: KeyIdentifyStrategy,
  ) {}

  /**
   * Loads and checks all key sets. An unreachable remote set is waited for in the background.
   *
   * @throws BootError in one line per set that cannot be used
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
   * Opens a further set to verify with; once per source, however often it is asked for.
   *
   * @param needed the process is not ready before the set has arrived
   * @throws BootError when it cannot be used
   */
  openVerification(source: KeySource, needed = true): Promise<void> {
    return this.sources.open([{ source, publicOnly: true, needed }]);
  }

  /**
   * Opens a further set to verify with for as long as it is needed, e.g. that of a tenant. It does not decide
   * whether the process is ready.
   *
   * @returns ends the use; the set is closed once nobody uses it
   * @throws KeyError when it cannot be used; a remote one that is away is waited for in the background
   */
  leaseVerification(source: KeySource): Promise<() => void> {
    return this.sources.lease(source);
  }

  /**
   * The key that signs with `alg` under `kid`, which may be a thumbprint or `auto`.
   *
   * @throws KeyError when there is none, or it cannot sign with `alg`
   * @throws KeysUnavailableException while a remote set has not arrived
   */
  signingKey(alg: JwsAlgorithm, kid: string): JwsKey {
    const { current } = this.signing;
    if (current === undefined) throw new KeysUnavailableException(this.signing.provider.source);
    return current.signer(alg, kid);
  }

  /**
   * The keys that verify tokens with these names in their header; see `KeySet.verifiers`. Never waits.
   *
   * @throws KeysUnavailableException while there is no set at all
   */
  verificationKeys(names: KeyNames, source?: KeySource): readonly JwsKey[] {
    const { current, provider, strategy, algorithms } = this.live(source);
    if (current === undefined) throw new KeysUnavailableException(provider.source);
    if (algorithms?.includes(names.alg) === false) return NO_KEYS;
    // Own tokens always carry a kid, whatever the strategy for tokens of others.
    const by = source === this.signingSource ? 'kid' : (strategy ?? this.strategy);
    return current.verifiers(names, by, nowSeconds());
  }

  /**
   * For a token whose key is unknown: fetches a remote set again, at most once per cooldown and within
   * the deadline of one fetch, then looks for the key again.
   *
   * @throws KeysUnavailableException when the set was given up meanwhile
   */
  async awaitVerificationKeys(names: KeyNames, source?: KeySource): Promise<readonly JwsKey[]> {
    // A header that names no key cannot match a set that is fetched again.
    if (names.kid === undefined && names.x5t === undefined && names.x5tS256 === undefined)
      return NO_KEYS;
    const look = this.live(source).refetch();
    if (look === undefined) return NO_KEYS;
    await look;
    return this.verificationKeys(names, source);
  }

  /**
   * From now on only sets in which this key can sign are taken.
   *
   * @throws KeyError when the present set is none of them
   */
  requireSigning(alg: JwsAlgorithm, kid: string): void {
    this.signing.require((candidate) => void candidate.signer(alg, kid));
  }

  /**
   * From now on only sets in which some key can verify `alg` are taken. A remote set, which others
   * decide about, is not held to it.
   *
   * @throws KeyError saying what each key of the present set is instead, or that `alg` needs a
   * secret where only public keys are taken
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

  /** What is known of a set, for explanations. */
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

  /** All sets, the one with the signing keys first. */
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

  /** How many keys of each set are skipped. */
  skippedCounts(): { source: string; skipped: number }[] {
    return this.sources.all().map(({ provider, current }) => ({
      source: provider.source,
      skipped: current?.skipped.reduce((sum, { count = 1 }) => sum + count, 0) ?? 0,
    }));
  }

  /** The JWK Set that may be published (RFC 7517 section 5): the public parts of the signing keys. */
  publicJwks(): { keys: readonly object[] } {
    return { keys: this.signing.current?.publicJwks ?? [] };
  }

  /**
   * True once every set that is needed has arrived. It stays true when one is given up later: taking the process
   * out of service would stop the routes that need other keys, too.
   */
  ready(): boolean {
    return this.sources.all().every(({ arrived, needed }) => arrived || !needed);
  }

  /** Where the keys come from, for messages. */
  describeSources(): { signing: string; verification: string } {
    return {
      signing: this.signing.provider.source,
      verification: this.verification.provider.source,
    };
  }

  /** Seconds since each source stopped giving a usable set; 0 while it does. */
  staleSeconds(): { source: string; seconds: number }[] {
    return this.sources.all().map(({ provider, staleSeconds }) => ({
      source: provider.source,
      seconds: staleSeconds,
    }));
  }

  /** Seconds since the set in use was loaded, for each source that has one. */
  ageSeconds(): { source: string; seconds: number }[] {
    return this.sources
      .all()
      .flatMap(({ provider: { source }, ageSeconds: seconds }) =>
        seconds === undefined ? [] : [{ source, seconds }],
      );
  }

  /** Looks at every source again; what became of it is in the log. */
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
