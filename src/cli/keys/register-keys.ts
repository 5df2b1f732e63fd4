import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { registerCheck } from './commands/check.js';
import { registerDecrypt } from './commands/decrypt.js';
import { registerEncrypt } from './commands/encrypt.js';
import { registerGenerate } from './commands/generate.js';
import { registerImportKey } from './commands/import.js';
import { registerList } from './commands/list.js';
import { registerPublic } from './commands/public.js';
import { registerRetire } from './commands/retire.js';
import { registerRotate } from './commands/rotate.js';
import { registerThumbprint } from './commands/thumbprint.js';

/** `signet keys …`: everything an operator does with key files. */
export function registerKeys(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('Create, check, rotate and encrypt key files');
  registerGenerate(keys, context);
  registerImportKey(keys, context);
  registerList(keys, context);
  registerCheck(keys, context);
  registerRotate(keys, context);
  registerRetire(keys, context);
  registerPublic(keys, context);
  registerThumbprint(keys, context);
  registerEncrypt(keys, context);
  registerDecrypt(keys, context);
}
