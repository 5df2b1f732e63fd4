/**
 * The configuration or the keys cannot be used. `main` prints one line per problem, without a stack,
 * and exits with code 1. No problem may contain the value of a secret.
 */
export class BootError extends Error {
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.join('\n'));
    this.name = 'BootError';
    this.problems = list;
  }
}
