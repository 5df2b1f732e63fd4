import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher } from 'undici';
import {
  BACKEND_OPTIONS,
  backendLimits,
  type BackendModuleOptions,
} from '../backend.module-definition.js';
import { RetryBudget } from '../resilience/retry-budget.js';
import { Connector } from './connector.js';
import {
  CollectedExchange,
  StreamedExchange,
  type BackendRequest,
  type BackendResponse,
  type Exchange,
  type ExchangeLimits,
  type RetryableTransport,
  type StreamedResponse,
} from './exchange.js';

/** Idle connections are closed before usual backends (Node: 5 s) close them on us. */
const KEEP_ALIVE_MS = 4000;
/** Older connections are replaced, so that a change of the backend's address is noticed. */
const CONNECTION_AGE_MS = 20_000;

/**
 * Sends requests over a pool of keep-alive connections per origin. Every response resolves,
 * whatever its status. Redirects and proxies are not part of it.
 */
@Injectable()
export class BackendTransport implements RetryableTransport, OnApplicationShutdown {
  /** Calls that were sent a second time, so far. */
  retries = 0;
  private readonly limits: ExchangeLimits;
  private readonly connector: Connector;
  private readonly createPool: () => Agent;
  private pool: Agent;
  /** By the monotonic clock. */
  private replaceAt = performance.now() + CONNECTION_AGE_MS;
  /** Pools whose last calls are still on their way. */
  private readonly retired = new Set<Agent>();
  /** A second attempt must not meet another connection that is about to die: here each is new. */
  private readonly freshPool: Agent;
  private readonly budget = new RetryBudget();

  constructor(@Inject(BACKEND_OPTIONS) options: Omit<BackendModuleOptions, 'host'>) {
    const { timeoutMs, maxBodyBytes, connectTimeoutMs, maxConnections } = backendLimits(options);
    this.limits = { timeoutMs, maxBodyBytes };
    this.connector = new Connector(connectTimeoutMs);
    const shared = {
      connections: maxConnections,
      connect: this.connector.connect,
      allowH2: false,
      // The deadline of the whole call is ours; undici's own timers are coarse.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.createPool = () =>
      new Agent({ ...shared, keepAliveTimeout: KEEP_ALIVE_MS, pipelining: 1 });
    this.pool = this.createPool();
    this.freshPool = new Agent({ ...shared, pipelining: 0 });
  }

  /**
   * @param limits below those of the options, which hold in any case
   * @throws BackendUnavailableException, BackendTimeoutException, BackendBadResponseException, or the
   * reason of `limits.signal`
   */
  send(request: BackendRequest, limits?: Partial<ExchangeLimits>): Promise<BackendResponse> {
    const options = toOptions(request);
    const within = limits === undefined ? this.limits : this.bounded(limits);
    return new Promise((resolve, reject) => {
      this.dispatch(options, new CollectedExchange(this, options, within, resolve, reject));
    });
  }

  /**
   * The same, where the body of the response is read while it comes; the limits hold for it, too.
   *
   * @throws as {@link send}, until the head of the response is here; then its body fails
   */
  open(request: BackendRequest): Promise<StreamedResponse> {
    const options = toOptions(request);
    return new Promise((resolve, reject) => {
      this.dispatch(options, new StreamedExchange(this, options, this.limits, resolve, reject));
    });
  }

  get opening(): boolean {
    return this.connector.opening;
  }

  sendAgain(request: Dispatcher.DispatchOptions, exchange: Exchange): boolean {
    if (!this.budget.spend()) return false;
    this.retries++;
    this.freshPool.dispatch(request, exchange);
    return true;
  }

  async onApplicationShutdown(): Promise<void> {
    const pools = [this.pool, this.freshPool, ...this.retired];
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private dispatch(options: Dispatcher.DispatchOptions, exchange: Exchange): void {
    this.budget.earn();
    try {
      this.currentPool().dispatch(options, exchange);
    } catch (error) {
      exchange.fail(error as Error);
    }
  }

  private bounded({ timeoutMs, maxBodyBytes, signal }: Partial<ExchangeLimits>): ExchangeLimits {
    return {
      timeoutMs: Math.min(timeoutMs ?? Infinity, this.limits.timeoutMs),
      maxBodyBytes: Math.min(maxBodyBytes ?? Infinity, this.limits.maxBodyBytes),
      signal,
    };
  }

  /** undici's own `clientTtl` goes by the wall clock, which may be set back. */
  private currentPool(): Agent {
    const now = performance.now();
    if (now >= this.replaceAt) {
      this.retire(this.pool);
      this.pool = this.createPool();
      this.replaceAt = now + CONNECTION_AGE_MS;
    }
    return this.pool;
  }

  private retire(pool: Agent): void {
    this.retired.add(pool);
    const forget = (): void => void this.retired.delete(pool);
    pool.close().then(forget, forget);
  }
}

const toOptions = (request: BackendRequest): Dispatcher.DispatchOptions => {
  const { origin, path, method, headers, body } = request;
  return { origin, path, method, headers, body: body ?? null };
};
