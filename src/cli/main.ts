#!/usr/bin/env node
import { importBundled } from '../bundled/index.js';

let stderr: NodeJS.WriteStream | undefined;
/** Streams of the process. Few commands use stdin and stderr, so these are created at their first use. */
const io = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  get stderr() {
    // Errors of stderr cannot be reported anywhere.
    return (stderr ??= process.stderr.on('error', () => undefined));
  },
  cwd: process.cwd(),
};

io.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // `signet keys list | head -1` closes the pipe early, which is no error.
  if (code === 'EPIPE') return;
  process.exitCode = 1;
  io.stderr.write(`signet: the result cannot be written (${code})\n`);
});

const [, , ...args] = process.argv;
try {
  // Needs packages that users of the library alone may not have installed.
  const { run } = await importBundled('command', () => import('./run.js'));
  const exitCode = await run(args, process.env, io);
  // No process.exit(): it would cut off what was written to a pipe.
  process.exitCode ||= exitCode;
} catch (error) {
  io.stderr.write(`signet: ${await problemOf(error)}\n`);
  process.exitCode = 1;
}

async function problemOf(error: unknown): Promise<string> {
  try {
    // Throws where Node.js is too old, which then explains any other failure.
    await import('../core/errors/index.js');
  } catch (old) {
    return (old as Error).message;
  }
  const { GATEWAY_PACKAGES, missingPackage } = await import('../packages/index.js');
  const needed = args[0] === 'serve' ? GATEWAY_PACKAGES : [];
  return (await missingPackage(error, needed)) ?? (error as Error).message;
}
