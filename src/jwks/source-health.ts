import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../core/time/index.js';
import { KeyError } from '../core/keys/index.js';

/** Milliseconds between two lines about a source that stays bad in the same way. */
const LOG_EVERY_MS = 60_000;

/** Since when a key source gives nothing usable, and what the log says about it. */
export class SourceHealth {
  private static readonly logger = new Logger('JwkKeyStore');
  private staleSince: number | undefined;
  private readonly log = new AtMostEvery(LOG_EVERY_MS);
  private lastProblem = '';

  /** @param source for messages */
  constructor(private readonly source: string) {}

  /** Seconds since the source stopped giving a usable set; 0 while it does. */
  get staleSeconds(): number {
    return this.staleSince === undefined ? 0 : (performance.now() - this.staleSince) / 1000;
  }

  /** Why it gives nothing usable; `undefined` while it does. */
  get problem(): string | undefined {
    return this.isStale ? this.lastProblem : undefined;
  }

  get isStale(): boolean {
    return this.staleSince !== undefined;
  }

  /** @param news what is worth a line; left out: nothing is */
  good(news?: string): void {
    const what = this.isStale ? 'usable again' : 'reloaded';
    this.staleSince = undefined;
    this.lastProblem = '';
    if (news !== undefined) SourceHealth.logger.log(`JWK ${this.source}: ${what} (${news})`);
  }

  /** @param consequence what becomes of the keys in use */
  bad(error: unknown, consequence: string): void {
    const reason = error instanceof KeyError ? error.message : `${this.source}: cannot be loaded`;
    const problem = `JWK ${reason}; ${consequence}`;
    this.staleSince ??= performance.now();
    if (problem !== this.lastProblem) this.log.reset();
    this.lastProblem = problem;
    if (!this.log.due()) return;
    SourceHealth.logger.error(problem);
  }
}
