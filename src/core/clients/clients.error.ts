/** Thrown for invalid client registrations, with one line per problem. The lines name members, never values. */
export class ClientsError extends Error {
  override readonly name = 'ClientsError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
  }
}
