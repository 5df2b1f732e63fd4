import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AxiosHeaders, type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import { Agent, type Dispatcher } from 'undici';
import { BACKEND_OPTIONS, type BackendModuleOptions } from './backend.module-definition.js';
import { Connector } from './connector.js';
import { Exchange, type RetryableTransport } from './exchange.js';
import { RetryBudget } from './retry-budget.js';

export const DEFAULT_MAX_CONNECTIONS = 256;
const DEFAULT_CONNECT_TIMEOUT_MS = 1000;
/** Idle connections are closed before usual backends (Node: 5 s) close them on us. */
const KEEP_ALIVE_MS = 4000;
/** Older connections are replaced, so that a change of the backend's address is noticed. */
const CONNECTION_AGE_MS = 20_000;

/**
 * The transport of `HttpService`: an axios adapter over a pool of keep-alive connections per
 * origin. Redirects and proxies are not part of it.
 *
 * `config.timeout` is the total deadline, `config.maxContentLength` bounds the answer while it
 * arrives, every status resolves. `data` is a Buffer.
 */
@Injectable()
export class BackendTransport implements RetryableTransport, OnApplicationShutdown {
  /** Calls that were sent a second time, so far. */
  retries = 0;
  private readonly connector: Connector;
  private readonly createPool: () => Agent;
  private pool: Agent;
  /** By the monotonic clock. */
  private replaceAt = performance.now() + CONNECTION_AGE_MS;
  /** Pools whose last calls are still on their way. */
  private readonly retired = new Set<Agent>();
  /** A second attempt must not meet another connection that is about to die: here each is fresh. */
  private readonly freshPool: Agent;
  private readonly budget = new RetryBudget();

  constructor(@Inject(BACKEND_OPTIONS) options: Omit<BackendModuleOptions, 'host'>) {
    const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, timeoutMs = Infinity } = options;
    this.connector = new Connector(Math.min(connectTimeoutMs, timeoutMs));
    const shared = {
      connections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
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

  /** The adapter for axios. */
  readonly adapter: AxiosAdapter = (config) =>
    new Promise((resolve, reject) => {
      this.budget.earn();
      const request = toDispatch(config);
      this.currentPool().dispatch(request, new Exchange(this, request, config, resolve, reject));
    });

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

  /** Undici's own `clientTtl` looks at the age of each busy connection with every call. */
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

function toDispatch(config: InternalAxiosRequestConfig): Dispatcher.DispatchOptions {
  return {
    origin: config.baseURL,
    path: config.url ?? '/',
    method: config.method?.toUpperCase() ?? 'GET',
    headers: plainHeaders(config),
    body: (config.data as Buffer | undefined) ?? null,
  };
}

function plainHeaders({ headers, data }: InternalAxiosRequestConfig) {
  if (!(headers instanceof AxiosHeaders)) return headers as Record<string, string | string[]>;
  // axios declares a form where there is no body at all.
  if (data === undefined) headers.delete('content-type');
  return headers.toJSON(true);
}
