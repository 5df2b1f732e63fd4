import { Logger } from '@nestjs/common';
import { KeyProblem } from './key-problem.js';
import type { KeyDocument, KeyProvider } from './key-provider.js';
import { KeySet } from './key-set.js';

/** A candidate is refused by throwing a `KeyProblem`. */
export type KeySetCheck = (candidate: KeySet, document: KeyDocument) => void;

/** At most one line a minute about a source that stays bad. */
const LOG_EVERY_MS = 60_000;
const RETRY_MS = 1000;

/**
 * The last good set of one provider. A new set is parsed and checked as a whole and then takes the
 * old one's place in one step; a bad one leaves everything as it is.
 */
export class LiveKeySet {
  private static readonly logger = new Logger('JwkKeyStore');
  private readonly checks: KeySetCheck[] = [];
  private set: KeySet | undefined;
  private staleSince: number | undefined;
  private lastLogged = -Infinity;
  private lastProblem = '';
  private retry: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private unwatch: (() => void) | undefined;

  constructor(readonly provider: KeyProvider) {}

  /** The last good set; `undefined` until a remote one has arrived. */
  get current(): KeySet | undefined {
    return this.set;
  }

  /** Seconds since the source stopped giving a usable set; 0 while it does. */
  get staleSeconds(): number {
    return this.staleSince === undefined ? 0 : (performance.now() - this.staleSince) / 1000;
  }

  /** Every set from now on, the present one included, has to pass. @throws KeyProblem */
  require(check: KeySetCheck): void {
    if (this.set !== undefined) check(this.set, { text: '' });
    this.checks.push(check);
  }

  /** Loads the first set and begins to follow the source. @throws KeyProblem when a local one is unusable */
  async open(): Promise<void> {
    try {
      this.set = await this.load();
    } catch (error) {
      if (!(error instanceof KeyProblem && this.provider.remote)) throw error;
      this.complain(error);
    }
    this.unwatch = this.provider.watch(() => void this.refresh());
  }

  /** Looks at the source again; calls at the same time share one look. Never throws. */
  refresh(): Promise<void> {
    this.refreshing ??= this.replace().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  close(): void {
    this.unwatch?.();
    clearTimeout(this.retry);
  }

  private async replace(): Promise<void> {
    clearTimeout(this.retry);
    try {
      const candidate = await this.load();
      const recovered = this.staleSince !== undefined;
      this.set = candidate;
      this.staleSince = undefined;
      this.lastProblem = '';
      const line = `JWK ${candidate.source}: ${recovered ? 'usable again' : 'reloaded'} (${candidate.describeKids()})`;
      if (!this.provider.remote || recovered) LiveKeySet.logger.log(line);
    } catch (error) {
      this.complain(error);
      if (!this.provider.remote)
        this.retry = setTimeout(() => void this.refresh(), RETRY_MS).unref();
    }
  }

  private async load(): Promise<KeySet> {
    const document = await this.provider.read();
    const candidate = KeySet.parse(document.text, this.provider.source, this.provider.remote);
    for (const check of this.checks) check(candidate, document);
    return candidate;
  }

  private complain(error: unknown): void {
    const problem = error instanceof KeyProblem ? error.message : 'cannot be loaded';
    this.staleSince ??= performance.now();
    if (problem === this.lastProblem && performance.now() - this.lastLogged < LOG_EVERY_MS) return;
    this.lastProblem = problem;
    this.lastLogged = performance.now();
    const consequence = this.set === undefined ? 'no keys yet' : 'the last good keys stay in use';
    LiveKeySet.logger.error(`JWK ${problem}; ${consequence}`);
  }
}
