#!/usr/bin/env node
import { Command } from 'commander';
import { describeError, describeUsageError } from './describe-error.js';
import { loadEnvironmentFile } from './environment.js';
import { registerExplain } from './explain/register-explain.js';
import { registerImport } from './krakend/register-import.js';
import { registerKeys } from './keys/register-keys.js';
import { registerServe } from './serve.js';

// `signet keys list | head -1` closes the pipe early, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exitCode = error.code === 'EPIPE' ? 0 : 1;
});

try {
  loadEnvironmentFile();
  const program = new Command('signet')
    .description('Token gateway: signs the claims of a login backend as JWTs and validates them')
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => write(`signet: ${describeUsageError(text)}\n`),
    });
  registerKeys(program);
  registerImport(program);
  registerExplain(program);
  registerServe(program);
  await program.parseAsync();
} catch (error) {
  for (const line of describeError(error)) process.stderr.write(`signet: ${line}\n`);
  const { exitCode } = error as { exitCode?: number };
  // No process.exit(): what was written to a pipe would be cut off.
  process.exitCode = exitCode ?? 1;
}
