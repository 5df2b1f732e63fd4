import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../core/time/index.js';
import { KeyError } from '../core/keys/index.js';

/** Shortest time between two log lines about the same problem of a source, in milliseconds. */
const LOG_EVERY_MS = 60_000;

/** Tracks since when a key source gives no usable set, and logs it. */
export class SourceHealth {
  private static readonly logger = new Logger('JwkKeyStore');
  private staleSince: number | undefined;
  private readonly log = new AtMostEvery(LOG_EVERY_MS);
  private lastProblem = '';

  /** @param source name of the source in messages */
  constructor(private readonly source: string) {}

  /** Seconds since the source stopped giving a usable set; 0 while it gives one. */
  get staleSeconds(): number {
    return this.staleSince === undefined ? 0 : (performance.now() - this.staleSince) / 1000;
  }

  /** Why the source gives no usable set; `undefined` while it gives one. */
  get problem(): string | undefined {
    return this.isStale ? this.lastProblem : undefined;
  }

  get isStale(): boolean {
    return this.staleSince !== undefined;
  }

  /** Notes a usable set. @param news text for a log line. Default: no line */
  good(news?: string): void {
    const what = this.isStale ? 'usable again' : 'reloaded';
    this.staleSince = undefined;
    this.lastProblem = '';
    if (news !== undefined) SourceHealth.logger.log(`JWK ${this.source}: ${what} (${news})`);
  }

  /** Notes a failure. @param consequence what happens to the keys in use, for the log */
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
