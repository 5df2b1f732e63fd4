import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../core/time/index.js';
import type { StateStore } from './state-store.js';
import { StateUnavailableException } from './state-unavailable.exception.js';

/** Seconds by which the clock of the store may differ before it is told, and before the process is not ready. */
const SKEW_TO_TELL = 1;
export const LARGEST_SKEW = 10;
const LOG_EVERY_MS = 60_000;

/** What the log says of the state store. */
export class StoreReports {
  private readonly logger = new Logger('Revocations');
  private readonly failures = new AtMostEvery(LOG_EVERY_MS);
  private readonly skews = new AtMostEvery(LOG_EVERY_MS);
  /** Whether it was told that the store takes no writes. */
  private toldReadOnly = false;

  constructor(private readonly store: StateStore) {}

  /** Where the clock of this machine differs from the store's. */
  skew(): void {
    const skew = this.store.clock?.skew ?? 0;
    if (Math.abs(skew) > SKEW_TO_TELL && this.skews.due())
      this.logger.warn(
        `The clock of this machine is ${Math.abs(skew).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} that of the state store (${this.store.description}); from ${LARGEST_SKEW} s on the process is not ready`,
      );
  }

  /** Where it has begun or ceased to take no writes. */
  readOnly(): void {
    const { readOnly, description } = this.store;
    if (readOnly === undefined) {
      if (this.toldReadOnly) this.logger.log(`The state store (${description}) takes writes again`);
      this.toldReadOnly = false;
    } else if (!this.toldReadOnly) {
      this.toldReadOnly = true;
      this.logger.error(
        `The state store (${description}) takes no writes: ${readOnly}; tokens are validated, and what has to write (refresh, revocation, logout) is answered with 503`,
      );
    }
  }

  /** It holds what this version does not understand. */
  skipping(): void {
    this.logger.warn(
      `The state store (${this.store.description}) holds revocations of a newer version of Signet, which are left out here`,
    );
  }

  /** It had lost so many revocations, and has them again. */
  gaveBack(count: number): void {
    this.logger.warn(
      `The state store (${this.store.description}) has a new history; it got back ${count} revocations`,
    );
  }

  /** @param patienceMs for which what was seen so far is used */
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
