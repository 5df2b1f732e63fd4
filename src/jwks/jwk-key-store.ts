import { Logger } from '@nestjs/common';
import { BootException } from '../common/boot.exception.js';
import { keyMisfit, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import { createDevelopmentKey } from './development-key.js';
import { readKeyFile } from './key-file.js';
import type { KeySet } from './key-set.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';
import { KeyProblem } from './key-problem.js';
import { warnOfPublishedKeys } from './published-keys.js';

/** The keys of the gateway. Nothing outside of `jwks/` sees where they come from. */
export class JwkKeyStore {
  private static readonly logger = new Logger(JwkKeyStore.name);

  private constructor(
    private readonly signing: KeySet,
    private readonly verification: KeySet,
  ) {}

  /**
   * Reads and checks all key files once.
   *
   * @throws BootException in one line per file that cannot be used
   */
  static async open(options: JwksModuleOptions): Promise<JwkKeyStore> {
    const { signingKeysPath, verificationKeysPath, createMissing } = options;
    if (
      createMissing !== undefined &&
      (await createDevelopmentKey(signingKeysPath, createMissing.alg, createMissing.kid))
    )
      this.logger.log(
        `Created ${signingKeysPath} with a fresh ${createMissing.alg} key '${createMissing.kid}' (development only)`,
      );
    const problems: string[] = [];
    const load = (path: string): KeySet | undefined => {
      try {
        const { set, exposure } = readKeyFile(path);
        if (exposure !== undefined && options.exposedKeyFiles === 'refuse')
          problems.push(`key file ${exposure}`);
        else if (exposure !== undefined && options.exposedKeyFiles !== 'allow')
          this.logger.warn(`Key file ${exposure}`);
        for (const reason of set.skipped.values()) this.logger.warn(`JWK ${path}: ${reason}`);
        warnOfPublishedKeys(set, this.logger);
        return set;
      } catch (error) {
        if (!(error instanceof KeyProblem)) throw error;
        problems.push(`JWK ${error.message}`);
        return undefined;
      }
    };
    const signing = load(signingKeysPath);
    const verification =
      verificationKeysPath === undefined || verificationKeysPath === signingKeysPath
        ? signing
        : load(verificationKeysPath);
    if (problems.length > 0 || signing === undefined || verification === undefined)
      throw new BootException(problems);
    return new JwkKeyStore(signing, verification);
  }

  /**
   * The key that signs with `alg` under `kid`.
   *
   * @throws KeyProblem when there is none, or it cannot sign with `alg`
   */
  signingKey(alg: JwsAlgorithm, kid: string): JwsKey {
    const key = this.signing.get(kid);
    const { source } = this.signing;
    if (key === undefined) {
      const skipped = this.signing.skipped.get(kid);
      throw new KeyProblem(
        skipped === undefined
          ? `kid '${kid}' not found in JWK ${source} (present: ${this.signing.describeKids()})`
          : `JWK ${source}: ${skipped}`,
      );
    }
    const misfit = keyMisfit(key, alg);
    if (misfit !== undefined) throw new KeyProblem(`${misfit} (JWK ${source})`);
    if (key.signing === undefined)
      throw new KeyProblem(
        `kid '${kid}' in JWK ${source} cannot sign: it is a public key, or key_ops forbids it`,
      );
    return key;
  }

  /** The key that verifies tokens with this kid, or `undefined`. */
  verificationKey(kid: string): JwsKey | undefined {
    return this.verification.get(kid);
  }

  /**
   * Makes sure that at least one key can verify `alg`.
   *
   * @throws KeyProblem saying what each key is instead
   */
  assertVerifies(alg: JwsAlgorithm): void {
    const { source, skipped } = this.verification;
    const reasons = this.verification
      .all()
      .map((key) =>
        key.verifying === undefined ? `kid '${key.kid}' cannot verify` : keyMisfit(key, alg),
      );
    if (!reasons.includes(undefined))
      throw new KeyProblem(
        `no key in JWK ${source} can verify ${alg}: ${[...reasons, ...skipped.values()].slice(0, 5).join('; ')}`,
      );
  }

  /** The JWK Set that may be published (RFC 7517 section 5): the public parts of the signing keys. */
  publicJwks(): { keys: readonly object[] } {
    return { keys: this.signing.publicJwks };
  }
}
