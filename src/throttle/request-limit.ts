import { BootError } from '../core/errors/index.js';
import type { StateStore } from '../state/index.js';
import { ThrottleCounters } from './throttle-counters.js';
import { TooManyRequestsException } from './too-many-requests.exception.js';
import type { ThrottleModuleOptions } from './throttle.module-definition.js';

const DEFAULT_WINDOW_MS = 60_000;

/** Limits the requests of each client in a window of time. */
export class RequestLimit {
  /** False where `limit` is 0: requests are not counted. */
  readonly enabled: boolean;
  private readonly limit: number;
  private readonly windowMs: number;
  private readonly counters: ThrottleCounters;

  /**
   * @param store the store of `StateModule`, if that is imported
   * @param owner name of the module or decorator, for messages
   * @throws BootError for `shared` without a store
   */
  constructor(
    { limit, ttlMs = DEFAULT_WINDOW_MS, shared = false }: ThrottleModuleOptions,
    store: StateStore | undefined,
    owner = 'ThrottleModule',
  ) {
    if (shared && store === undefined)
      throw new BootError(
        `${owner}: 'shared' needs StateModule: add StateModule.forRoot(…) to the imports of your root module`,
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
