/**
 * Number of the form in which stores keep state. It is raised when a version writes something that the one
 * before must not meet by surprise; columns, tables and members that are only added need no new number, because
 * older versions leave alone what they do not know.
 *
 * Version n of the form is read by whoever writes n, n - 1 (which so can take over after a rollback), and
 * all later ones.
 */
export const SCHEMA = 1;

/**
 * @param found what the store says; `undefined` where nobody has written a number yet
 * @throws Error when the store was written by a version that is newer by more than one
 */
export function assertReadable(found: unknown): void {
  const schema = Number(found ?? SCHEMA);
  if (!(schema >= 1 && schema <= SCHEMA + 1))
    throw new Error(
      `the state has schema ${String(found)}; this version of Signet reads 1 to ${SCHEMA + 1}`,
    );
}
