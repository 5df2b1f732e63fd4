/**
 * What an error says about the server that gave it.
 *
 * - `standby`: it answers questions, and another server may take writes.
 * - `full`: it answers questions, and takes no writes at present.
 * - `broken`: the connection is worth nothing.
 * - `gone`: the tables are not there.
 */
export type SqlCondition = 'standby' | 'full' | 'broken' | 'gone';

/** By SQLSTATE. All others are about one statement only. */
const CONDITIONS: Readonly<Record<string, SqlCondition>> = {
  /** A standby; after a failover it may have been the primary until now. */
  '25006': 'standby',
  /** The disk is full. */
  '53100': 'full',
  /** The user may only read, or the disk may. */
  '42501': 'full',
  /** The server was told to stop, or has crashed, starts, or is a standby that does not serve. */
  '57P01': 'broken',
  '57P02': 'broken',
  '57P03': 'broken',
  '57P05': 'broken',
  /** Too many connections. */
  '53300': 'broken',
  /** Somebody has dropped them. */
  '42P01': 'gone',
  '3F000': 'gone',
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** @returns `undefined` where the error is about the statement only */
export const sqlConditionOf = (error: unknown): SqlCondition | undefined => {
  const code = codeOf(error);
  return CONDITIONS[code] ?? (/^08...$/.test(code) ? 'broken' : undefined);
};

/** Whether somebody else has created the same at the same time. */
export const isCreatedTwice = (error: unknown): boolean =>
  ['23505', '42P06', '42P07', '42710', '40P01', '40001', 'XX000'].includes(codeOf(error));

/** What the server or the network says of a failure. Neither repeats a password, and values are left out. */
export function sqlReasonOf(error: unknown): string {
  if (error instanceof AggregateError)
    return error.errors.map(sqlReasonOf)[0] ?? 'cannot be reached';
  // The text of an error about data quotes it.
  if (/^2[23]...$/.test(codeOf(error))) return `error ${codeOf(error)}`;
  return error instanceof Error && error.message !== '' ? error.message : 'cannot be reached';
}
