import {
  isGiven,
  readSecretFile,
  readVariable,
  withDefaults,
  withEnvFile,
  type Environment,
} from '../environment/index.js';
import { CommandError } from './command.error.js';

/** Reads `.env`, as the gateway does; what the environment has already wins. */
export function loadEnvironmentFile(): void {
  Object.assign(process.env, withEnvFile(process.env));
}

/** A variable that somebody set; `undefined` when it is unset or empty, whatever its default. */
export function given(name: string): string | undefined {
  const value = process.env[name];
  return isGiven(value) ? value : undefined;
}

/** A variable, or its default. */
export const setting = (name: string): string => withDefaults(process.env)[name]?.trim() ?? '';

type NumberName = {
  [Name in keyof Environment]-?: Environment[Name] extends number ? Name : never;
}[keyof Environment];

/** A variable that holds a whole number. @throws BootError when it holds something else */
export const wholeNumber = (name: NumberName): number => readVariable(name, process.env);

/**
 * What opens and makes encrypted key files: `KEY_PASSPHRASE`, or the contents of `KEY_PASSPHRASE_FILE`.
 *
 * @throws CommandError when both are set
 */
export function passphrase(): string | undefined {
  const direct = given('KEY_PASSPHRASE');
  const file = given('KEY_PASSPHRASE_FILE');
  if (direct !== undefined && file !== undefined)
    throw new CommandError('KEY_PASSPHRASE and KEY_PASSPHRASE_FILE are both set; choose one');
  return direct ?? readSecretFile('KEY_PASSPHRASE_FILE', file);
}
