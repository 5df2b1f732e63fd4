/** When a {@link CircuitBreaker} opens, and for how long. */
export interface BreakerOptions {
  /** Number of failures without a success between them that opens the circuit. Default 20. */
  failures?: number;
  /** Longest time from the first to the last of these failures, in milliseconds. Default 10 000. */
  withinMs?: number;
  /** Interval of the calls that probe whether the backend answers again, in milliseconds. Default 1000. */
  probeEveryMs?: number;
}

/** `half-open`: the circuit is open, and a probe call is in flight that may close it. */
export type BreakerState = 'closed' | 'half-open' | 'open';

/**
 * Stops calls to a backend that fails every call. The breaker counts consecutive failures, not their share. So
 * neither a few failures at low traffic nor one client whose requests make the backend fail can shut out the other
 * clients. While the circuit is open, one call per `probeEveryMs` is let through, and its success closes the circuit.
 *
 * Times are milliseconds of `performance.now()`. They are parameters, since the caller has already read the clock.
 */
export class CircuitBreaker {
  private readonly limit: number;
  private readonly withinMs: number;
  private readonly probeEveryMs: number;
  /** Counts openings and closings. A call that began before the last of them cannot open or close the circuit. */
  private generation = 0;
  private isOpen = false;
  private probing = false;
  private nextProbe = 0;
  private failuresInRow = 0;
  private firstFailure = 0;

  constructor({ failures = 20, withinMs = 10_000, probeEveryMs = 1000 }: BreakerOptions = {}) {
    this.limit = failures;
    this.withinMs = withinMs;
    this.probeEveryMs = probeEveryMs;
  }

  get state(): BreakerState {
    if (!this.isOpen) return 'closed';
    return this.probing ? 'half-open' : 'open';
  }

  /** True if {@link admit} would return a permit. */
  admits(now: number): boolean {
    return !this.isOpen || now >= this.nextProbe;
  }

  /** @returns a permit, with which the outcome of the call is reported; `undefined` when no call may be made */
  admit(now: number): number | undefined {
    if (!this.admits(now)) return undefined;
    if (this.isOpen) {
      this.probing = true;
      this.nextProbe = now + this.probeEveryMs;
    }
    return this.generation;
  }

  /** Reports that the backend answered the call of this permit. @returns true when that closes the circuit */
  succeeded(permit: number): boolean {
    this.failuresInRow = 0;
    const closes = this.isOpen && permit === this.generation;
    if (closes) this.switchTo(false);
    return closes;
  }

  /**
   * Reports that the backend did not answer the call of this permit, or answered with an error of its own.
   *
   * @returns true when that opens the circuit
   */
  failed(permit: number, now: number): boolean {
    if (permit !== this.generation) return false;
    if (this.isOpen) {
      this.probing = false;
      return false;
    }
    if (this.failuresInRow === 0 || now - this.firstFailure > this.withinMs) {
      this.firstFailure = now;
      this.failuresInRow = 0;
    }
    if (++this.failuresInRow < this.limit) return false;
    this.switchTo(true);
    this.nextProbe = now + this.probeEveryMs;
    return true;
  }

  private switchTo(open: boolean): void {
    this.generation++;
    this.isOpen = open;
    this.probing = false;
    this.failuresInRow = 0;
  }
}
