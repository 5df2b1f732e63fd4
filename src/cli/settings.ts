import {
  isGiven,
  readSecretFile,
  readVariable,
  withDefaults,
  withEnvFile,
  type Environment,
} from '../environment/index.js';
import { CommandError } from './command.error.js';
import type { RawEnvironment } from '../environment/index.js';
import type { Files } from './files.js';

type NumberName = {
  [Name in keyof Environment]-?: Environment[Name] extends number ? Name : never;
}[keyof Environment];

/** The variables that the gateway would see in the same working directory, as text. */
export class Settings {
  private readonly completed: Readonly<Record<string, string>>;

  constructor(
    readonly variables: RawEnvironment,
    private readonly files: Files,
  ) {
    this.completed = withDefaults(variables);
  }

  /**
   * Reads the environment, and `.env` for variables that are not in it.
   *
   * @throws BootError when `.env` exists and cannot be read or understood
   */
  static read(env: RawEnvironment, files: Files): Settings {
    return new Settings(withEnvFile(env, files.pathOf('.env')), files);
  }

  /** Returns a variable; `undefined` when it is unset or empty, even if it has a default. */
  given(name: string): string | undefined {
    const value = this.variables[name];
    return isGiven(value) ? value : undefined;
  }

  /** Returns a variable without surrounding blanks, or its default. */
  text(name: string): string {
    return this.completed[name]?.trim() ?? '';
  }

  /** Returns a variable as a whole number. @throws BootError when it is no whole number */
  wholeNumber(name: NumberName): number {
    return readVariable(name, this.variables);
  }

  /**
   * Returns the passphrase of encrypted key files: `KEY_PASSPHRASE`, or the contents of `KEY_PASSPHRASE_FILE`.
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
