import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../core/time/index.js';
import {
  MemoryStore,
  StateUnavailableException,
  type Hits,
  type StateStore,
} from '../state/index.js';

type Counters = Pick<StateStore, 'hit'>;

/** Milliseconds of local counting after the shared store has failed, since each attempt delays a request. */
const LOCAL_MS = 1000;
const LOG_EVERY_MS = 60_000;

/**
 * Counts hits by key, together with other workers and nodes, in the state store. While the store does not answer, each
 * process counts for itself, so that logins are not refused.
 */
export class ThrottleCounters {
  private static readonly logger = new Logger('Throttle');
  private readonly log = new AtMostEvery(LOG_EVERY_MS);
  private readonly local = new MemoryStore();
  private sharedAgainAt = -Infinity;

  /** @param shared the state store. Default: this process counts for itself */
  constructor(private readonly shared?: Counters) {}

  /**
   * Counts one hit.
   *
   * @param windowMs length of the window in milliseconds
   * @returns hits in the window, this one included, and the milliseconds until it ends
   */
  async hit(key: string, windowMs: number): Promise<Hits> {
    if (this.shared === undefined || performance.now() < this.sharedAgainAt)
      return this.local.hit(key, windowMs);
    try {
      return await this.shared.hit(key, windowMs);
    } catch (error) {
      if (!(error instanceof StateUnavailableException)) throw error;
      this.sharedAgainAt = performance.now() + LOCAL_MS;
      if (this.log.due())
        ThrottleCounters.logger.warn(
          'The state store does not count requests at present; until it does, each process counts for itself, and the limit is one per process',
        );
      return this.local.hit(key, windowMs);
    }
  }
}
