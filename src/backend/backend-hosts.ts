import { BootError } from '../core/errors/index.js';
import type { BreakerState } from '../core/resilience/index.js';
import { backendLimits, type BackendModuleOptions } from './backend.module-definition.js';
import { BackendBulkhead, type CallListener } from './resilience/backend-bulkhead.js';

/** One host of the backend, with what is known of its health. */
export interface BackendHost {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path of the host's base URL, without a slash at its end. */
  readonly basePath: string;
  readonly bulkhead: BackendBulkhead;
}

/** The states from the best to the worst. */
const STATES: readonly BreakerState[] = ['closed', 'half-open', 'open'];

/** The hosts of the backend, used in turn. A host whose circuit is open is left out. */
export class BackendHosts {
  private readonly hosts: readonly BackendHost[];
  private turn = 0;

  /** @throws BootError if there is no host, or one is not an http(s) URL */
  constructor(options: BackendModuleOptions) {
    const urls = [options.host].flat();
    if (urls.length === 0) throw new BootError('the option host of BackendModule is empty');
    const { maxConnections, maxWaiting } = backendLimits(options);
    this.hosts = urls.map((text) => {
      const url = URL.parse(text);
      if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
        throw new BootError('the option host of BackendModule is not an http:// or https:// URL');
      const { origin, pathname } = url;
      return {
        origin,
        basePath: pathname.replace(/\/$/, ''),
        bulkhead: new BackendBulkhead({
          origin,
          maxCalls: maxConnections + maxWaiting,
          breaker: options.breaker,
          logFailures: options.logFailures,
        }),
      };
    });
  }

  /** The origin of the first host, which names the backend. */
  get origin(): string {
    return this.hosts[0]?.origin ?? '';
  }

  /** Returns the next host that takes calls; if none does, the next one of all. */
  next(): BackendHost {
    const { length } = this.hosts;
    const turn = this.turn;
    for (let step = 0; step < length; step++) {
      const index = (turn + step) % length;
      const host = this.hosts[index];
      if (host === undefined || (length > 1 && !host.bulkhead.takesCalls)) continue;
      this.turn = (index + 1) % length;
      return host;
    }
    this.turn = (turn + 1) % length;
    return this.hosts[turn] as BackendHost;
  }

  /** The state of the best host: the backend is available as long as one host is. */
  get state(): BreakerState {
    const states = this.hosts.map(({ bulkhead }) => bulkhead.state);
    return STATES.find((state) => states.includes(state)) ?? 'closed';
  }

  /** @returns the sum over all hosts */
  count(what: 'inFlight' | 'rejected'): number {
    return this.hosts.reduce((sum, { bulkhead }) => sum + bulkhead[what], 0);
  }

  onCall(listener: CallListener): void {
    for (const { bulkhead } of this.hosts) bulkhead.onCall(listener);
  }
}
