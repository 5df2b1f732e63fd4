/**
 * What an error says about the server that gave it.
 *
 * - `standby`: it answers reads; another server may take writes.
 * - `full`: it answers reads, but takes no writes at present.
 * - `broken`: the connection is of no use.
 * - `gone`: the tables do not exist.
 */
export type SqlCondition = 'standby' | 'full' | 'broken' | 'gone';

/** Conditions by SQLSTATE. All other codes but those of class 08 concern one statement only. */
const CONDITIONS: Readonly<Record<string, SqlCondition>> = {
  /** The server is a standby; after a failover it may have been the primary until now. */
  '25006': 'standby',
  /** The disk is full. */
  '53100': 'full',
  /** The user may only read, or the disk can only be read. */
  '42501': 'full',
  /** The server stops, crashed, is starting, is a standby that takes no connections, or ended an idle session. */
  '57P01': 'broken',
  '57P02': 'broken',
  '57P03': 'broken',
  '57P05': 'broken',
  /** Too many connections. */
  '53300': 'broken',
  /** The tables or their schema were dropped. */
  '42P01': 'gone',
  '3F000': 'gone',
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** @returns `undefined` if the error concerns the statement only */
export const sqlConditionOf = (error: unknown): SqlCondition | undefined => {
  const code = codeOf(error);
  return CONDITIONS[code] ?? (/^08...$/.test(code) ? 'broken' : undefined);
};

/** True if another session has created the same objects at the same time. */
export const isConcurrentCreation = (error: unknown): boolean =>
  ['23505', '42P06', '42P07', '42710', '40P01', '40001', 'XX000'].includes(codeOf(error));

/** Returns the message of the server or the network about a failure; it holds neither passwords nor values. */
export function sqlReasonOf(error: unknown): string {
  if (error instanceof AggregateError)
    return error.errors.map(sqlReasonOf)[0] ?? 'cannot be reached';
  // The message of an error about data (classes 22 and 23) quotes the data.
  if (/^2[23]...$/.test(codeOf(error))) return `error ${codeOf(error)}`;
  return error instanceof Error && error.message !== '' ? error.message : 'cannot be reached';
}
