/**
 * Retries add at most this share of calls. A backend that closes connections as soon as it has
 * answered, which is its right, loses up to one call in twenty that way.
 */
const SHARE = 0.1;
/** What may be retried after a quiet time: a pool of idle connections can die at once. */
const RESERVE = 100;

/** Bounds retries to a share of the calls, so that they cannot double the load of a backend in trouble. */
export class RetryBudget {
  private credit = RESERVE;

  /** For each call. */
  earn(): void {
    this.credit = Math.min(RESERVE, this.credit + SHARE);
  }

  /** @returns false when the budget is used up */
  spend(): boolean {
    if (this.credit < 1) return false;
    this.credit--;
    return true;
  }
}
