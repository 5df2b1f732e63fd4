import { BootError } from '../core/errors/index.js';

/** Why the boot failed, one line per problem and without a stack, for whoever started the process. */
export function describeBootError(error: unknown): readonly string[] {
  if (error instanceof BootError) return error.problems;
  if (!(error instanceof Error)) return ['the boot failed'];
  const { code, syscall } = error as NodeJS.ErrnoException;
  // In a cluster the primary binds for its workers.
  if (syscall === 'listen' || syscall === 'bind')
    return [
      code === 'EADDRINUSE'
        ? 'PORT is in use already; stop the other process or choose another PORT (0 picks a free one)'
        : `cannot listen on HOST and PORT (${code})`,
    ];
  return [error.message];
}
