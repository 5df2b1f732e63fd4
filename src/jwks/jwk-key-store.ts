import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { BootException } from '../common/boot.exception.js';
import { algorithmSpec, keyMisfit, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import { createDevelopmentKey } from './development-key.js';
import { KeyFile } from './key-file.js';
import type { KeyProvider } from './key-provider.js';
import { KeyProblem } from './key-problem.js';
import type { KeyIdentifyStrategy, KeyNames, KeySet } from './key-set.js';
import { KeyUrl } from './key-url.js';
import { LiveKeySet, type KeySetCheck } from './live-key-set.js';
import type { JwksModuleOptions, KeySource } from './jwks.module-definition.js';
import { warnOfPublishedKeys } from './published-keys.js';

const DEFAULT_RELOAD_INTERVAL_MS = 1000;

/** The keys of the gateway, followed while it runs. Nothing outside of `jwks/` sees where they come from. */
@Injectable()
export class JwkKeyStore implements OnApplicationShutdown {
  private static readonly logger = new Logger(JwkKeyStore.name);

  private constructor(
    private readonly signing: LiveKeySet,
    private readonly verification: LiveKeySet,
    private readonly strategy: KeyIdentifyStrategy,
  ) {}

  /**
   * Loads and checks all key sets.
   *
   * @throws BootException in one line per local set that cannot be used
   */
  static async open(options: JwksModuleOptions): Promise<JwkKeyStore> {
    const { signing, verification, createMissing } = options;
    if (createMissing !== undefined && 'path' in signing) {
      const { alg, kid } = createMissing;
      if (await createDevelopmentKey(signing.path, alg, kid))
        this.logger.log(
          `Created ${signing.path} with a fresh ${alg} key '${kid}' (development only)`,
        );
    }
    const signingSet = new LiveKeySet(toProvider(signing, options));
    const verificationSet =
      verification === undefined || sameSource(signing, verification)
        ? signingSet
        : new LiveKeySet(toProvider(verification, options));
    const problems: string[] = [];
    for (const live of new Set([signingSet, verificationSet])) {
      live.require(exposureCheck(options, this.logger));
      live.require(report(this.logger));
      try {
        await live.open();
      } catch (error) {
        if (!(error instanceof KeyProblem)) throw error;
        problems.push(`JWK ${error.message}`);
      }
    }
    if (problems.length > 0) {
      signingSet.close();
      verificationSet.close();
      throw new BootException(problems);
    }
    return new JwkKeyStore(signingSet, verificationSet, options.identifyStrategy ?? 'kid');
  }

  /**
   * The key that signs with `alg` under `kid`, which may be a thumbprint or `auto`.
   *
   * @throws KeyProblem when there is none, or it cannot sign with `alg`
   */
  signingKey(alg: JwsAlgorithm, kid: string): JwsKey {
    const { current } = this.signing;
    if (current === undefined)
      throw new KeyProblem(`JWK ${this.signing.provider.source}: no keys yet`);
    return current.signer(alg, kid);
  }

  /** The key that verifies tokens with these names in their header, or `undefined`. */
  verificationKey(names: KeyNames): JwsKey | undefined {
    const now = Math.floor(Date.now() / 1000);
    return this.verification.current?.verifier(names, this.strategy, now);
  }

  /**
   * From now on only sets in which this key can sign are taken.
   *
   * @throws KeyProblem when the present set is none of them
   */
  requireSigning(alg: JwsAlgorithm, kid: string): void {
    this.signing.require((candidate) => void candidate.signer(alg, kid));
  }

  /**
   * From now on only sets in which some key can verify `alg` are taken. A remote set, which others
   * decide about, is not held to it.
   *
   * @throws KeyProblem saying what each key of the present set is instead
   */
  requireVerification(alg: JwsAlgorithm): void {
    if (this.verification.provider.remote) return;
    this.verification.require((candidate) => assertVerifies(candidate, alg));
  }

  /** The JWK Set that may be published (RFC 7517 section 5): the public parts of the signing keys. */
  publicJwks(): { keys: readonly object[] } {
    return { keys: this.signing.current?.publicJwks ?? [] };
  }

  /** Seconds since each source stopped giving a usable set; 0 while it does. */
  staleSeconds(): { source: string; seconds: number }[] {
    return [...new Set([this.signing, this.verification])].map((live) => ({
      source: live.provider.source,
      seconds: live.staleSeconds,
    }));
  }

  onApplicationShutdown(): void {
    this.signing.close();
    this.verification.close();
  }
}

function toProvider(source: KeySource, options: JwksModuleOptions): KeyProvider {
  const { passphrase, reloadIntervalMs = DEFAULT_RELOAD_INTERVAL_MS, remote = {} } = options;
  if ('path' in source) return new KeyFile(source.path, { passphrase, reloadIntervalMs });
  return 'url' in source ? new KeyUrl(source.url, remote) : source;
}

function sameSource(one: KeySource, other: KeySource): boolean {
  if ('path' in one) return 'path' in other && one.path === other.path;
  return 'url' in one ? 'url' in other && one.url === other.url : one === other;
}

function exposureCheck(
  { exposedKeyFiles = 'warn' }: JwksModuleOptions,
  logger: Logger,
): KeySetCheck {
  return (candidate, { exposure }) => {
    const holdsSecrets = candidate.all().some(({ signing }) => signing !== undefined);
    if (exposure === undefined || !holdsSecrets || exposedKeyFiles === 'allow') return;
    if (exposedKeyFiles === 'refuse') throw new KeyProblem(`file ${exposure}`);
    logger.warn(`JWK file ${exposure}`);
  };
}

const report =
  (logger: Logger): KeySetCheck =>
  (candidate) => {
    for (const reason of candidate.skipped.values())
      logger.warn(`JWK ${candidate.source}: ${reason}`);
    warnOfPublishedKeys(candidate, logger);
  };

function assertVerifies(set: KeySet, alg: JwsAlgorithm): void {
  const reasons = set
    .all()
    .map((key) =>
      key.verifying === undefined ? `kid '${key.kid}' cannot verify` : keyMisfit(key, alg),
    );
  if (!reasons.includes(undefined))
    throw new KeyProblem(
      `no key in JWK ${set.source} can verify ${alg} (${algorithmSpec(alg).kty}): ${[...reasons, ...set.skipped.values()].slice(0, 5).join('; ')}`,
    );
}
