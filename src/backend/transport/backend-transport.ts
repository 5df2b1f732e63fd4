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

/** Idle connections are closed after this time in milliseconds, before usual backends (Node.js: 5 s) close them. */
const KEEP_ALIVE_MS = 4000;
/** Maximum age of connections in milliseconds. They are replaced, so that a new address of the backend is used. */
const CONNECTION_AGE_MS = 20_000;

/**
 * Sends requests over a pool of keep-alive connections per origin. A response is returned whatever its status is.
 * Redirects and proxies are not supported.
 */
@Injectable()
export class BackendTransport implements RetryableTransport, OnApplicationShutdown {
  /** Number of calls that were sent a second time, since the start. */
  retries = 0;
  private readonly limits: ExchangeLimits;
  private readonly connector: Connector;
  private readonly createPool: () => Agent;
  private pool: Agent;
  /** Time at which the pool is replaced, in milliseconds of the monotonic clock. */
  private replaceAt = performance.now() + CONNECTION_AGE_MS;
  /** Replaced pools that still have calls under way. */
  private readonly retired = new Set<Agent>();
  /** Pool for second attempts. Each uses a new connection, since a kept one may be about to be closed, too. */
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
      // An exchange has its own deadline for the whole call; undici's timers are coarse.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.createPool = () =>
      new Agent({ ...shared, keepAliveTimeout: KEEP_ALIVE_MS, pipelining: 1 });
    this.pool = this.createPool();
    this.freshPool = new Agent({ ...shared, pipelining: 0 });
  }

  /**
   * Sends a request and collects the response.
   *
   * @param limits stricter limits; those of the options hold in any case
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
   * Like {@link send}, but the body of the response is a stream. The limits hold for the body, too.
   *
   * @throws as {@link send}, before the head of the response has arrived; after that the body fails
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

  /** Returns the pool, and replaces an old one. undici's own `clientTtl` uses the wall clock, which may be set back. */
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
