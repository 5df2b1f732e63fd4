/**
 * Largest share of calls that may be retried. A backend may close a connection as soon as it has answered; up to one
 * call in twenty fails that way.
 */
const SHARE = 0.1;
/** Number of calls that may be retried after an idle time, since all idle connections may be closed at once. */
const RESERVE = 100;

/** Bounds retries to a share of the calls, so that they cannot double the load of a backend in trouble. */
export class RetryBudget {
  private credit = RESERVE;

  /** Adds the share of one call. Called for each call. */
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
