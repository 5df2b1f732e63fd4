import type { RawEnvironment } from '../environment/index.js';
import type { CommandIo } from './command-io.js';
import { Files } from './files.js';
import { KeyFiles } from './keys/files/key-files.js';
import { Output } from './output.js';
import { Settings } from './settings.js';

/** What each command works with: variables, files and streams, in place of the process's own. */
export class CommandContext {
  readonly output: Output;
  readonly files: Files;
  readonly settings: Settings;
  readonly keyFiles: KeyFiles;
  /** Exit code. A command that answers "no" without having failed sets it to 1. */
  exitCode = 0;

  /**
   * @param env the environment; it takes precedence over `.env` in the working directory
   * @throws BootError when `.env` exists and cannot be read or understood
   */
  constructor(
    env: RawEnvironment,
    private readonly io: CommandIo,
  ) {
    this.output = new Output(io, env);
    this.files = new Files(io.cwd, (what, work) => this.output.during(what, work));
    this.settings = Settings.read(env, this.files);
    this.keyFiles = new KeyFiles(this.files, this.settings);
  }

  /** Reads standard input to its end. */
  async readInput(): Promise<string> {
    const { text } = await import('node:stream/consumers');
    return text(this.io.stdin);
  }
}
