import { loadEnvFile } from 'node:process';
// The index of config/ would load all of Nest, which no command needs and each would wait for.
import { withDefaults, readSecretFile } from '../environment/index.js';
import { CommandError } from './command.error.js';

/** Reads `.env`, as the gateway does; what the environment has already wins. */
export function loadEnvironmentFile(): void {
  try {
    loadEnvFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new CommandError(`.env cannot be read (${code})`);
  }
}

/** A variable that somebody set; `undefined` when it is unset or empty, whatever its default. */
export function given(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value.trim() === '' ? undefined : value;
}

/** A variable, or its default. */
export const setting = (name: string): string => withDefaults(process.env)[name] ?? '';

/** A variable that holds a whole number. @throws CommandError when it holds something else */
export function wholeNumber(name: string): number {
  const text = setting(name).trim();
  if (!/^\d{1,15}$/.test(text)) throw new CommandError(`${name} must be a whole number`);
  return Number(text);
}

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
