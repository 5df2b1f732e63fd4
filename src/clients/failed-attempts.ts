import { hash } from 'node:crypto';
import { TooManyRequestsException, type ThrottleCounters } from '../throttle/index.js';

/** Failed attempts of a client at one address in a window, until it is blocked. */
export const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Blocks in memory. Beyond that the oldest is dropped; the next failure restores it from the store. */
const MAX_BLOCKS = 10_000;

/**
 * Limits failed authentications per client and address. Failures of all nodes are counted in the state store. Blocks
 * are kept in memory, so a successful authentication needs no access to the store.
 */
export class FailedAttempts {
  /** End of each block in milliseconds, by `performance.now()`. */
  private readonly blocks = new Map<string, number>();

  constructor(private readonly counters: Pick<ThrottleCounters, 'hit'>) {}

  /** @throws TooManyRequestsException while the client is blocked at this address */
  assertAllowed(clientId: string, address: string): void {
    if (this.blocks.size === 0) return;
    const name = nameOf(clientId, address);
    const left = (this.blocks.get(name) ?? 0) - performance.now();
    if (left > 0) throw new TooManyRequestsException(Math.ceil(left / 1000));
    this.blocks.delete(name);
  }

  /** Counts a failure. Unknown clients are counted, too, so that the limit does not tell which ids exist. */
  async failed(clientId: string, address: string): Promise<void> {
    const name = nameOf(clientId, address);
    const { hits, resetMs } = await this.counters.hit(name, WINDOW_MS);
    if (hits < MAX_FAILURES) return;
    if (this.blocks.size >= MAX_BLOCKS)
      this.blocks.delete(this.blocks.keys().next().value as string);
    this.blocks.set(name, performance.now() + resetMs);
  }
}

/** A digest, so that keys of the store have a bounded length and contain nothing that was sent. */
const nameOf = (clientId: string, address: string): string =>
  `client:${hash('sha256', JSON.stringify([clientId, address]), 'base64url')}`;
