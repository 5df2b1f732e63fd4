import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../core/time/index.js';
import type { StateStore } from './state-store.js';
import { StateUnavailableException } from './state-unavailable.exception.js';

/** Seconds by which the store's clock may differ before a warning is logged, and before the process is not ready. */
const SKEW_TO_TELL = 1;
export const LARGEST_SKEW = 10;
const LOG_EVERY_MS = 60_000;

/** Writes log messages about the state store. */
export class StoreReports {
  private readonly logger = new Logger('Revocations');
  private readonly failures = new AtMostEvery(LOG_EVERY_MS);
  private readonly skews = new AtMostEvery(LOG_EVERY_MS);
  /** True after it was logged that the store takes no writes. */
  private readOnlyLogged = false;

  constructor(private readonly store: StateStore) {}

  /** Warns if the clock of this machine differs from the store's. */
  skew(): void {
    const skew = this.store.clock?.skew ?? 0;
    if (Math.abs(skew) > SKEW_TO_TELL && this.skews.due())
      this.logger.warn(
        `The clock of this machine is ${Math.abs(skew).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} that of the state store (${this.store.description}); from ${LARGEST_SKEW} s on the process is not ready`,
      );
  }

  /** Logs when the store stops taking writes, and when it takes them again. */
  readOnly(): void {
    const { readOnly, description } = this.store;
    if (readOnly === undefined) {
      if (this.readOnlyLogged)
        this.logger.log(`The state store (${description}) takes writes again`);
      this.readOnlyLogged = false;
    } else if (!this.readOnlyLogged) {
      this.readOnlyLogged = true;
      this.logger.error(
        `The state store (${description}) takes no writes: ${readOnly}; tokens are validated, and what has to write (refresh, revocation, logout) is answered with 503`,
      );
    }
  }

  /** Warns of entries that this version of Signet does not understand. */
  skipping(): void {
    this.logger.warn(
      `The state store (${this.store.description}) holds revocations of a newer version of Signet, which are left out here`,
    );
  }

  /** Warns that the store had lost revocations, and how many it got back. */
  gaveBack(count: number): void {
    this.logger.warn(
      `The state store (${this.store.description}) has a new history; it got back ${count} revocations`,
    );
  }

  /** @param patienceMs milliseconds for which the known revocations are used */
  failure(error: unknown, patienceMs: number): void {
    if (!this.failures.due()) return;
    const reason =
      error instanceof StateUnavailableException
        ? (error.details.explanation ?? '')
        : 'unexpected error';
    this.logger.error(
      `State: ${reason}; revocations seen so far are used for at most ${patienceMs / 1000} s`,
    );
  }

  answersAgain(): void {
    this.logger.log(`The state store (${this.store.description}) answers again`);
  }
}
