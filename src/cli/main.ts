#!/usr/bin/env node
import { importBundled } from '../bundled/index.js';

let stderr: NodeJS.WriteStream | undefined;
/** Streams of the process are made at their first use: hardly a command reads, and few complain. */
const io = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  get stderr() {
    // Of its errors there is nobody left to tell.
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
  // Needs packages that who uses only the library may not have.
  const { run } = await importBundled('command', () => import('./run.js'));
  const exitCode = await run(args, process.env, io);
  // No process.exit(): what was written to a pipe would be cut off.
  process.exitCode ||= exitCode;
} catch (error) {
  io.stderr.write(`signet: ${await problemOf(error)}\n`);
  process.exitCode = 1;
}

async function problemOf(error: unknown): Promise<string> {
  try {
    // Throws where Node is too old, whatever failed there.
    await import('../core/errors/index.js');
  } catch (old) {
    return (old as Error).message;
  }
  const { GATEWAY_PACKAGES, missingPackage } = await import('../packages/index.js');
  const needed = args[0] === 'serve' ? GATEWAY_PACKAGES : [];
  return (await missingPackage(error, needed)) ?? (error as Error).message;
}
