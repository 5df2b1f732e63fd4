import type { ThrottlerStorage } from '@nestjs/throttler';
import {
  MemoryStore,
  StateUnavailableException,
  type Hits,
  type StateStore,
} from '../state/index.js';

type Counters = Pick<StateStore, 'hit'>;
type Answer = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Milliseconds of local counting after the shared store has failed; each try delays a request. */
const LOCAL_MS = 1000;

/**
 * Counts for `@nestjs/throttler`: shared with other workers and nodes through the state store or,
 * while that does not answer, in this process. The limit is then one per process for a while, which
 * is better than refusing logins.
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
