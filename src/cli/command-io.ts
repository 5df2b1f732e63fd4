/** Where a command writes: a stream of the process, or a text in a test. */
export interface CommandStream {
  write(text: string): unknown;
  /** Help is wrapped for a terminal of this many columns; left out: for 80. */
  readonly columns?: number;
  /** True for a terminal: it shows colours, and what a command is waiting for. */
  readonly isTTY?: boolean;
}

/** What a command uses instead of its process's own. */
export interface CommandIo {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;
  /** Working directory, absolute: paths on the command line and in variables are relative to it. */
  readonly cwd: string;
}
