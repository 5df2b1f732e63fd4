import { Logger } from '@nestjs/common';

const REMEMBERED = 1000;
/** Characters of a `jti`. Longer ones are ignored, to bound the memory. */
const MAX_LENGTH = 200;

/** Warns once when two of the last thousand tokens have the same `jti` (RFC 7519 section 4.1.7). */
export class RepeatedIds {
  private static readonly logger = new Logger('Signing');
  private seen: Set<string> | undefined = new Set();

  /** @param jti the claim of a token that is being signed */
  check(jti: unknown): void {
    if (this.seen === undefined || typeof jti !== 'string' || jti.length > MAX_LENGTH) return;
    if (this.seen.has(jti)) {
      this.seen = undefined;
      RepeatedIds.logger.warn(
        'Two tokens were signed with the same jti, which the login service chose: a revocation by jti means both of them. Leave jti out, and each token gets its own',
      );
      return;
    }
    if (this.seen.size >= REMEMBERED) this.seen.delete(this.seen.values().next().value as string);
    this.seen.add(jti);
  }
}
