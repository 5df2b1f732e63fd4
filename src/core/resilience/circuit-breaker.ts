/** When a {@link CircuitBreaker} opens, and for how long. */
export interface BreakerOptions {
  /** Failures in a row, without a success between them, that open it. Default 20. */
  failures?: number;
  /** They count when they fall into so many milliseconds. Default 10 000. */
  withinMs?: number;
  /** Milliseconds between the calls that find out whether the backend is back. Default 1000. */
  probeEveryMs?: number;
}

/** `half-open`: open, and a call is on its way that may close it. */
export type BreakerState = 'closed' | 'half-open' | 'open';

/**
 * Stops calling a backend that fails every call. It counts failures in a row and not their share,
 * so neither a few failures of little traffic nor one client whose requests make the backend fail
 * can shut everybody else out. While open, one call per `probeEveryMs` is let through; its success
 * closes the circuit.
 *
 * Times are milliseconds of `performance.now()`, handed in: whoever calls has read the clock already.
 */
export class CircuitBreaker {
  private readonly limit: number;
  private readonly withinMs: number;
  private readonly probeEveryMs: number;
  /** Counts openings and closings: the outcome of a call that began before the last one says nothing. */
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

  /** Whether {@link admit} would give a permit. */
  admits(now: number): boolean {
    return !this.isOpen || now >= this.nextProbe;
  }

  /** @returns the permit of a call, for its outcome; `undefined` when it must not be made */
  admit(now: number): number | undefined {
    if (!this.admits(now)) return undefined;
    if (this.isOpen) {
      this.probing = true;
      this.nextProbe = now + this.probeEveryMs;
    }
    return this.generation;
  }

  /** The backend answered the call of this permit. @returns true when that closes the circuit */
  succeeded(permit: number): boolean {
    this.failuresInRow = 0;
    const closes = this.isOpen && permit === this.generation;
    if (closes) this.switchTo(false);
    return closes;
  }

  /**
   * The backend did not answer the call of this permit, or with a failure of its own.
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
