/** What a command refuses to do, in a line per problem, for whoever typed it. Never holds key material. */
export class CommandError extends Error {
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.join('; '));
    this.name = 'CommandError';
    this.problems = list;
  }
}
