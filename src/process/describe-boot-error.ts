import { BootError } from '../core/errors/index.js';
import { GATEWAY_PACKAGES, missingPackage } from '../packages/index.js';

/**
 * Describes why the boot failed, for the operator: one line per problem, without a stack. Options in messages of the
 * library are replaced by the variables that set them.
 */
export async function describeBootError(error: unknown): Promise<readonly string[]> {
  const problems = await problemsOf(error);
  if (!problems.some((problem) => problem.includes('Module'))) return problems;
  const { withVariableNames } = await import('../config/index.js');
  return problems.map(withVariableNames);
}

async function problemsOf(error: unknown): Promise<readonly string[]> {
  if (error instanceof BootError) return error.problems;
  if (!(error instanceof Error)) return ['the boot failed'];
  const missing = await missingPackage(error, GATEWAY_PACKAGES);
  if (missing !== undefined) return [missing];
  const { code, syscall, address, port, hostname } = error as ListenError;
  if (syscall === 'getaddrinfo') return [`HOST ${hostname} cannot be found (${code})`];
  // In a cluster, the primary binds the port for its workers.
  if (syscall !== 'listen' && syscall !== 'bind') return [error.message];
  if (code === 'EADDRINUSE')
    return [
      `PORT ${port} is in use already; stop the other process or choose another PORT (0 picks a free one)`,
    ];
  // Node's error names no port if the port is 0.
  return [`cannot listen on HOST ${address} and PORT ${port ?? 0} (${code})`];
}

type ListenError = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
