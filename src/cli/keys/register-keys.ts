import type { Command } from 'commander';
import { registerCheck } from './check.js';
import { registerDecrypt } from './decrypt.js';
import { registerEncrypt } from './encrypt.js';
import { registerGenerate } from './generate.js';
import { registerImport } from './import.js';
import { registerList } from './list.js';
import { registerPublic } from './public.js';
import { registerRetire } from './retire.js';
import { registerRotate } from './rotate.js';
import { registerThumbprint } from './thumbprint.js';

/** `signet keys …`: everything an operator does with key files. */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('Create, check, rotate and encrypt key files');
  registerGenerate(keys);
  registerImport(keys);
  registerList(keys);
  registerCheck(keys);
  registerRotate(keys);
  registerRetire(keys);
  registerPublic(keys);
  registerThumbprint(keys);
  registerEncrypt(keys);
  registerDecrypt(keys);
}
