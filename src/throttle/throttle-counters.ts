import type { ThrottlerStorage } from '@nestjs/throttler';
import {
  MemoryStore,
  StateUnavailableException,
  type Hits,
  type StateStore,
} from '../state/index.js';

type Counters = Pick<StateStore, 'hit'>;
type Answer = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** How long counting stays local after the shared store has failed; each try would hold up a request. */
const LOCAL_MS = 1000;

/**
 * Counts for `@nestjs/throttler`: shared with other workers and nodes through the state store or,
 * while that does not answer, in this process. A limit that is too generous for a while is better
 * than a login that is down.
 */
export class ThrottleCounters implements ThrottlerStorage {
  private readonly local = new MemoryStore();
  private sharedAgainAt = -Infinity;

  /** @param shared left out: all counting is local */
  constructor(private readonly shared?: Counters) {}

  /**
   * Counts one request.
   *
   * @param ttl length of the window in milliseconds
   * @param limit requests in it
   */
  async increment(key: string, ttl: number, limit: number): Promise<Answer> {
    const { hits, resetMs } = await this.hit(key, ttl);
    const seconds = Math.ceil(resetMs / 1000);
    const isBlocked = hits > limit;
    return {
      totalHits: hits,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    };
  }

  private async hit(key: string, ttl: number): Promise<Hits> {
    if (this.shared === undefined || performance.now() < this.sharedAgainAt)
      return this.local.hit(key, ttl);
    try {
      return await this.shared.hit(key, ttl);
    } catch (error) {
      if (!(error instanceof StateUnavailableException)) throw error;
      this.sharedAgainAt = performance.now() + LOCAL_MS;
      return this.local.hit(key, ttl);
    }
  }
}
