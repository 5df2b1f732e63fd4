import { BootError } from '../core/errors/index.js';
import type { StateStore } from '../state/index.js';
import { ThrottleCounters } from './throttle-counters.js';
import { TooManyRequestsException } from './too-many-requests.exception.js';
import type { ThrottleModuleOptions } from './throttle.module-definition.js';

const DEFAULT_WINDOW_MS = 60_000;

/** The limit of requests per client. */
export class RequestLimit {
  /** False: nothing is counted. */
  readonly enabled: boolean;
  private readonly limit: number;
  private readonly windowMs: number;
  private readonly counters: ThrottleCounters;

  /**
   * @param store of `StateModule`, where it is imported
   * @param whose in messages
   * @throws BootError where processes are to count together, and there is none
   */
  constructor(
    { limit, ttlMs = DEFAULT_WINDOW_MS, shared = false }: ThrottleModuleOptions,
    store: StateStore | undefined,
    whose = 'ThrottleModule',
  ) {
    if (shared && store === undefined)
      throw new BootError(
        `${whose}: 'shared' needs StateModule: add StateModule.forRoot(…) to the imports of your root module`,
      );
    this.limit = limit;
    this.windowMs = ttlMs;
    this.enabled = limit > 0;
    this.counters = new ThrottleCounters(shared ? store : undefined);
  }

  /** Counts a request. @throws TooManyRequestsException 429 beyond the limit */
  async count(client: string): Promise<void> {
    const { hits, resetMs } = await this.counters.hit(client, this.windowMs);
    if (hits > this.limit) throw new TooManyRequestsException(Math.ceil(resetMs / 1000));
  }
}
