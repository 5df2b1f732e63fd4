import type { Revocation } from '../../core/revocation/index.js';
import type { SessionRecord } from '../session-records.js';
import type {
  ChangeCursor,
  Hits,
  RefreshOutcome,
  RefreshUse,
  Replay,
  RevocationChanges,
} from '../state-store.js';

/** Operations that run synchronously inside one transaction; a failure is thrown. */
export type Operations = Readonly<Record<string, (...args: never[]) => unknown>>;

/** The operations of the durable database. */
export interface StateOperations {
  addRevocation(revocation: Revocation, reach?: number): Revocation;
  restore(revocations: readonly Revocation[]): void;
  removeRevocation(id: string): Revocation | undefined;
  listRevocations(page: { after?: string; limit: number }): Revocation[];
  changes(cursor: ChangeCursor | undefined, limit: number): RevocationChanges;
  peek(use: RefreshUse): RefreshOutcome;
  consume(use: RefreshUse, replay: Replay | undefined): RefreshOutcome;
  /** Undoes a use by the request of this nonce, which did not learn of it in time. */
  release(use: RefreshUse): void;
  noteExpiry(exp: number): number;
  putSession(owner: string, session: SessionRecord): readonly SessionRecord[];
  listSessions(owner: string): readonly SessionRecord[];
  countSessions(limit: number): number;
  removeSessions(owner: string, sids: readonly string[]): void;
}

/** The operations of the database that need not survive a power failure. */
export interface CounterOperations {
  putIfAbsent(name: string, value: string, ttlMs: number): string;
  getKept(name: string): string | undefined;
  hit(key: string, windowMs: number): Hits;
}

/** Says which of the two databases a thread works on. */
export interface ThreadData {
  readonly database: 'state' | 'counters';
  readonly file: string;
}

/** A call of one operation. */
export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Time from which the caller no longer waits, in milliseconds of `steadyMs`. */
  readonly deadline: number;
}

/** To the thread. */
export type ToThread = Call | 'close';

/** From the thread. `readOnly`: why nothing can be written at present. A reason holds neither values nor paths. */
export type FromThread =
  | { readonly opened: true; readonly readOnly: string | undefined }
  | { readonly opened: false; readonly reason: string }
  | { readonly answers: readonly Answer[]; readonly readOnly: string | undefined };

/** The outcome of one operation. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  /** `refused`: the operation is a write, and nothing can be written at present. */
  | { readonly id: number; readonly reason: string; readonly refused?: true };
