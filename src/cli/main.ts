#!/usr/bin/env node
// First: it says which Node is needed.
import '../core/errors/index.js';
import { GATEWAY_PACKAGES, importBundled, missingPackage } from '../packages/index.js';

const { argv, env, stdin, stdout, stderr } = process;

stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // `signet keys list | head -1` closes the pipe early, which is no error.
  if (code === 'EPIPE') return;
  process.exitCode = 1;
  stderr.write(`signet: the result cannot be written (${code})\n`);
});
// There is nobody left to tell.
stderr.on('error', () => undefined);

try {
  // Needs packages that who uses only the library may not have.
  const { run } = await importBundled('command', () => import('./run.js'));
  const exitCode = await run(argv.slice(2), env, { stdin, stdout, stderr, cwd: process.cwd() });
  // No process.exit(): what was written to a pipe would be cut off.
  process.exitCode ||= exitCode;
} catch (error) {
  const needed = argv[2] === 'serve' ? GATEWAY_PACKAGES : [];
  stderr.write(`signet: ${(await missingPackage(error, needed)) ?? (error as Error).message}\n`);
  process.exitCode = 1;
}
