/** Registrations of clients that must not be used, one line per problem. Names members, never a value. */
export class ClientsError extends Error {
  override readonly name = 'ClientsError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
  }
}
