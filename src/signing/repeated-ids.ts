import { Logger } from '@nestjs/common';

const REMEMBERED = 1000;
/** Longest `jti` that is remembered, in characters, so that the memory is bounded. */
const MAX_LENGTH = 200;

/** Warns once when two of the last thousand tokens get the same `jti` (RFC 7519 section 4.1.7). */
export class RepeatedIds {
  private static readonly logger = new Logger('Signing');
  private seen: Set<string> | undefined = new Set();

  /** @param jti the `jti` of a token that is being signed */
  look(jti: unknown): void {
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
