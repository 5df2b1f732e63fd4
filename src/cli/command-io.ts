/** Where a command writes: a stream of the process, or a text in a test. */
export interface CommandStream {
  write(text: string): unknown;
  /** Width of the terminal in columns, for wrapping help. Default 80. */
  readonly columns?: number;
  /** True for a terminal, which gets colours and progress messages. */
  readonly isTTY?: boolean;
}

/** Streams and working directory of a command, in place of those of the process. */
export interface CommandIo {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;
  /** Working directory, absolute: paths on the command line and in variables are relative to it. */
  readonly cwd: string;
}
