import { BootError } from '../core/errors/index.js';
import type { BreakerState } from '../core/resilience/index.js';
import { backendLimits, type BackendModuleOptions } from './backend.module-definition.js';
import { BackendBulkhead, type CallListener } from './resilience/backend-bulkhead.js';

/** One host of the backend, with what is known of its health. */
export interface BackendHost {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a slash at its end. */
  readonly basePath: string;
  readonly bulkhead: BackendBulkhead;
}

/** From the best to the worst. */
const STATES: readonly BreakerState[] = ['closed', 'half-open', 'open'];

/** The hosts of the backend, which take turns. One whose circuit is open is left out. */
export class BackendHosts {
  private readonly hosts: readonly BackendHost[];
  private turn = 0;

  /** @throws BootError for what is no http(s) URL */
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

  /** Whose turn it is among those that take calls; where none does, among all. */
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

  /** The state of the best host: as long as one works, there is a backend. */
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
