import type { RawEnvironment } from '../environment/index.js';
import type { CommandIo } from './command-io.js';
import { Files } from './files.js';
import { KeyFiles } from './keys/files/key-files.js';
import { Output } from './output.js';
import { Settings } from './settings.js';

/** What each command gets: variables, files, streams. Nothing in `cli/` asks the process for them. */
export class CommandContext {
  readonly output: Output;
  readonly files: Files;
  readonly settings: Settings;
  readonly keyFiles: KeyFiles;
  /** A command that answers "no" without having failed sets this to 1. */
  exitCode = 0;

  /**
   * @param env the environment; it wins over `.env` in the working directory
   * @throws CommandError when `.env` is there and cannot be read
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

  /** Standard input, to its end. */
  async readInput(): Promise<string> {
    const { text } = await import('node:stream/consumers');
    return text(this.io.stdin);
  }
}
