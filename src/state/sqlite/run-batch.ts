import { isWriteRefusal } from './open-database.js';
import type { Answer, Call, Operations } from './protocol.js';
import type { ThreadDatabase } from './thread-database.js';

/** Operations that never write; a batch of them takes no lock. */
const READS = new Set([
  'listRevocations',
  'changes',
  'peek',
  'getKept',
  'listSessions',
  'countSessions',
]);

/** Whether an operation never writes. */
export const isRead = ({ name }: Call): boolean => READS.has(name);

/**
 * Runs many operations as one transaction, so that they share one wait for the disk. Each has its own savepoint: an
 * operation that fails is undone, and no other.
 *
 * @throws Error when none of the operations has happened, e.g. because SQLite refused one of the writes
 */
export function runBatch(target: ThreadDatabase, calls: readonly Call[]): Answer[] {
  const { database } = target;
  database.exec(calls.every(isRead) ? 'BEGIN' : 'BEGIN IMMEDIATE');
  try {
    const answers = calls.map((call) => apply(target, call));
    database.exec('COMMIT');
    return answers;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function apply(target: ThreadDatabase, { id, name, args }: Call): Answer {
  const { database } = target;
  const operation = (target as unknown as Operations)[name];
  if (operation === undefined) return { id, reason: `there is no operation ${name}` };
  database.exec('SAVEPOINT operation');
  try {
    const value = operation.apply(target, args as never[]);
    database.exec('RELEASE operation');
    return { id, value };
  } catch (error) {
    // A full disk ends the whole transaction; then there is no savepoint to go back to.
    if (!database.isTransaction || isWriteRefusal(error)) throw error;
    database.exec('ROLLBACK TO operation; RELEASE operation');
    return { id, reason: error instanceof Error ? error.message : 'unknown error' };
  }
}
