/** A refusal of a command, with one line per problem for the user. It never contains key material. */
export class CommandError extends Error {
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.join('; '));
    this.name = 'CommandError';
    this.problems = list;
  }
}
