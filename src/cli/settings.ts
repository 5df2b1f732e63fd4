import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readSecretFile, withDefaults } from '../environment/raw/index.js';
import { CommandError } from './command.error.js';
import type { Variables } from './command-io.js';
import type { Files } from './files.js';

/** The variables that the gateway would see in the same working directory, as text. */
export class Settings {
  private readonly completed: Readonly<Record<string, string>>;

  constructor(
    readonly variables: Variables,
    private readonly files: Files,
  ) {
    this.completed = withDefaults(variables);
  }

  /**
   * The environment, and `.env` for what it leaves open.
   *
   * @throws CommandError when `.env` is there and cannot be read
   */
  static read(env: Variables, files: Files): Settings {
    return new Settings({ ...readEnvFile(files.pathOf('.env')), ...env }, files);
  }

  /** A variable that somebody set; `undefined` when it is unset or empty, whatever its default. */
  given(name: string): string | undefined {
    const value = this.variables[name];
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  /** A variable without blanks around it, or its default. */
  text(name: string): string {
    return this.completed[name]?.trim() ?? '';
  }

  /** A variable that holds a whole number. @throws CommandError when it holds something else */
  wholeNumber(name: string): number {
    const text = this.text(name);
    if (!/^\d{1,15}$/.test(text)) throw new CommandError(`${name} must be a whole number`);
    return Number(text);
  }

  /**
   * What opens and makes encrypted key files: `KEY_PASSPHRASE`, or the contents of `KEY_PASSPHRASE_FILE`.
   *
   * @throws CommandError when both are set
   * @throws BootError when the file cannot be read
   */
  passphrase(): string | undefined {
    const direct = this.given('KEY_PASSPHRASE');
    const file = this.given('KEY_PASSPHRASE_FILE');
    if (direct !== undefined && file !== undefined)
      throw new CommandError('KEY_PASSPHRASE and KEY_PASSPHRASE_FILE are both set; choose one');
    if (direct !== undefined || file === undefined) return direct;
    return readSecretFile('KEY_PASSPHRASE_FILE', this.files.pathOf(file));
  }
}

function readEnvFile(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new CommandError(`.env cannot be read (${code})`);
  }
}
