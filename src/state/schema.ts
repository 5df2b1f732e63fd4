/**
 * Number of the schema in which stores keep state. It is raised when a version of Signet writes something that the
 * version before must not meet unprepared. Columns, tables and members that are only added need no new number, because
 * older versions leave alone what they do not know.
 *
 * Schema n is read by the versions of Signet that write n - 1, n, or any later schema. Those that write n - 1 can so
 * take over after a rollback.
 */
export const SCHEMA = 1;

/**
 * @param found the number in the store; `undefined` where none was written yet
 * @throws Error when the store was written by a version that is newer by more than one
 */
export function assertReadable(found: unknown): void {
  const schema = Number(found ?? SCHEMA);
  if (!(schema >= 1 && schema <= SCHEMA + 1))
    throw new Error(
      `the state has schema ${String(found)}; this version of Signet reads 1 to ${SCHEMA + 1}`,
    );
}
