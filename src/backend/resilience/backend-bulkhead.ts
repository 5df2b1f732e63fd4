import { Logger } from '@nestjs/common';
import { GatewayException } from '../../http/index.js';
import {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
} from '../backend.exceptions.js';
import {
  CircuitBreaker,
  type BreakerOptions,
  type BreakerState,
} from '../../core/resilience/index.js';

/** How a call ended. `failed`: a 5xx; `other`: an error that is not about the backend. */
export type BackendOutcome =
  'answered' | 'refused' | 'bad_response' | 'failed' | 'unavailable' | 'timeout' | 'other';

/** Is called at the end of every call that was made. */
export type CallListener = (outcome: BackendOutcome, seconds: number) => void;

/** Limits of a {@link BackendBulkhead}. */
export interface BulkheadOptions {
  /** Name of the host in messages. Default: none. */
  origin?: string;
  /** Maximum number of calls at the same time. */
  maxCalls: number;
  breaker?: BreakerOptions | false;
  /** True: each failed call is logged. Default true. */
  logFailures?: boolean;
}

const OUTCOMES: readonly [new (...args: never[]) => Error, BackendOutcome][] = [
  [BackendRefusedException, 'refused'],
  [BackendFailedException, 'failed'],
  [BackendBadResponseException, 'bad_response'],
  [BackendUnavailableException, 'unavailable'],
  [BackendTimeoutException, 'timeout'],
];
const ANSWERED = (): BackendOutcome => 'answered';
const FAILURES = new Set<BackendOutcome>(['failed', 'unavailable', 'timeout']);

/** Decides whether a call is made, and records how calls end. */
export class BackendBulkhead {
  /** Number of calls that were not made, since the start. */
  rejected = 0;
  /** Calls under way. */
  inFlight = 0;
  private readonly logger = new Logger('Backend');
  private readonly listeners: CallListener[] = [];
  private readonly maxCalls: number;
  private readonly breaker: CircuitBreaker | undefined;
  private readonly at: string;
  private readonly logFailures: boolean;
  private lastFailure = '';

  constructor({ origin, maxCalls, breaker, logFailures = true }: BulkheadOptions) {
    this.logFailures = logFailures;
    this.at = origin === undefined ? '' : ` at ${origin}`;
    this.maxCalls = maxCalls;
    if (breaker !== false) this.breaker = new CircuitBreaker(breaker);
  }

  get state(): BreakerState {
    return this.breaker?.state ?? 'closed';
  }

  /** True if a call would be made now. */
  get takesCalls(): boolean {
    return this.inFlight < this.maxCalls && this.breaker?.admits(performance.now()) !== false;
  }

  onCall(listener: CallListener): void {
    this.listeners.push(listener);
  }

  /**
   * Makes a call, if the limit and the circuit breaker allow it.
   *
   * @param outcomeOf returns how the call ended with an answer. Default: `answered`
   * @throws BackendUnavailableException at once when too many calls are under way or the circuit is open
   */
  async run<T>(
    call: () => Promise<T>,
    outcomeOf: (answer: T) => BackendOutcome = ANSWERED,
  ): Promise<T> {
    if (this.inFlight >= this.maxCalls) throw this.rejection('too many calls are under way');
    const start = performance.now();
    const permit = this.breaker === undefined ? 0 : this.breaker.admit(start);
    if (permit === undefined)
      throw this.rejection(`its last calls failed, the last one with: ${this.lastFailure}`);
    this.inFlight++;
    try {
      const answer = await call();
      this.ended(outcomeOf(answer), permit, start);
      return answer;
    } catch (error) {
      const outcome = OUTCOMES.find(([kind]) => error instanceof kind)?.[1] ?? 'other';
      this.ended(outcome, permit, start, error);
      throw error;
    } finally {
      this.inFlight--;
    }
  }

  private ended(outcome: BackendOutcome, permit: number, start: number, error?: unknown): void {
    const now = performance.now();
    if (FAILURES.has(outcome)) {
      this.lastFailure =
        (error instanceof GatewayException ? error.explanation : undefined) ??
        'the backend answered 5xx';
      if (this.logFailures)
        this.logger.error(`A call of the backend${this.at} failed: ${this.lastFailure}`);
      if (this.breaker?.failed(permit, now) === true)
        this.logger.error(
          `The circuit is open, calls of the backend${this.at} fail at once: ${this.lastFailure}`,
        );
    } else if (outcome !== 'other' && this.breaker?.succeeded(permit) === true)
      this.logger.log(`The backend${this.at} answers again, the circuit is closed`);
    for (const listener of this.listeners) listener(outcome, (now - start) / 1000);
  }

  private rejection(reason: string): BackendUnavailableException {
    this.rejected++;
    return new BackendUnavailableException(`the backend${this.at} was not called: ${reason}`);
  }
}
