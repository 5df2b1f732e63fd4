import { hash } from 'node:crypto';
import { TooManyRequestsException, type ThrottleCounters } from '../throttle/index.js';

/** Failed attempts that a client has at one address, per window. */
export const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Blocks that are remembered; the oldest one is forgotten first, and the next failure finds it again. */
const MAX_BLOCKS = 10_000;

/**
 * Limits failed authentications per client and address. Failures are counted in the state store, so for
 * all nodes together; a block is remembered by each process, so that a client that knows
 * its secret costs no look at the store.
 */
export class FailedAttempts {
  /** When each block ends, by the monotonic clock, in milliseconds. */
  private readonly blocks = new Map<string, number>();

  constructor(private readonly counters: Pick<ThrottleCounters, 'hit'>) {}

  /** @throws TooManyRequestsException while this client may not try again from this address */
  assertAllowed(clientId: string, address: string): void {
    if (this.blocks.size === 0) return;
    const name = nameOf(clientId, address);
    const left = (this.blocks.get(name) ?? 0) - performance.now();
    if (left > 0) throw new TooManyRequestsException(Math.ceil(left / 1000));
    this.blocks.delete(name);
  }

  /** Counts a failure. Unknown clients are counted as known ones are: nothing tells them apart. */
  async failed(clientId: string, address: string): Promise<void> {
    const name = nameOf(clientId, address);
    const { hits, resetMs } = await this.counters.hit(name, WINDOW_MS);
    if (hits < MAX_FAILURES) return;
    if (this.blocks.size >= MAX_BLOCKS)
      this.blocks.delete(this.blocks.keys().next().value as string);
    this.blocks.set(name, performance.now() + resetMs);
  }
}

/** A digest: names in the store are short, and hold nothing of what was sent. */
const nameOf = (clientId: string, address: string): string =>
  `client:${hash('sha256', JSON.stringify([clientId, address]), 'base64url')}`;
