import { styleText } from 'node:util';
import { oneLine } from '../core/text/index.js';
import type { RawEnvironment } from '../environment/index.js';
import type { CommandIo, CommandStream } from './command-io.js';

/** A colour or weight, by the names of Node's `styleText`. */
export type Style = Extract<Parameters<typeof styleText>[0], string>;

/**
 * True if a stream shows colours: a terminal, or any stream with `FORCE_COLOR`. `NO_COLOR` and `TERM` have the same
 * effect as in Node.js.
 */
export const showsColors = (stream: CommandStream, env: RawEnvironment): boolean =>
  (stream.isTTY === true || env.FORCE_COLOR !== undefined) &&
  // `node:tty` is loaded only if it is needed.
  process.getBuiltinModule('node:tty').WriteStream.prototype.getColorDepth(env) > 2;

/** The output of a command: results on standard output, remarks on standard error. */
export class Output {
  private readonly stdout: CommandStream;
  private readonly colors: boolean;

  /** @param env what `NO_COLOR`, `FORCE_COLOR` and `TERM` are read from */
  constructor(
    private readonly io: Pick<CommandIo, 'stdout' | 'stderr'>,
    private readonly env: RawEnvironment = {},
  ) {
    this.stdout = io.stdout;
    this.colors = showsColors(io.stdout, env);
  }

  /** Writes a line of a result. Line breaks and control characters, e.g. in a kid, become blanks. */
  line(text: string): void {
    this.stdout.write(`${oneLine(text)}\n`);
  }

  /** Writes lines of a result, each with a name and a value. */
  fields(fields: readonly (readonly [name: string, value: string])[]): void {
    const width = Math.max(...fields.map(([name]) => name.length));
    for (const [name, value] of fields)
      this.stdout.write(
        `${this.styled(name === 'next' ? 'cyan' : 'bold', name)}${' '.repeat(width - name.length)}  ${oneLine(value)}\n`,
      );
  }

  /**
   * Writes rows of a result, in columns as wide as their widest cell.
   *
   * @param styles styles of the words in a column, by its heading. Without it there are no headings
   */
  table(
    rows: readonly (readonly string[])[],
    styles?: Readonly<Record<string, Readonly<Record<string, Style>>>>,
  ): void {
    const cells = rows.map((row) => row.map(oneLine));
    const [headings = []] = cells;
    const widths = headings.map((_, column) =>
      Math.max(...cells.map((row) => row[column]?.length ?? 0)),
    );
    for (const [index, row] of cells.entries()) {
      // No blanks at the end of a line.
      const last = row.findLastIndex((cell) => cell !== '');
      const line = row.slice(0, last + 1).map((cell, column) => {
        const style = index === 0 ? styles && 'bold' : styles?.[headings[column] ?? '']?.[cell];
        const padding = column === last ? 0 : (widths[column] ?? 0) - cell.length;
        return this.styled(style, cell) + ' '.repeat(padding);
      });
      this.stdout.write(`${line.join('  ')}\n`);
    }
  }

  /** Writes a result as JSON, for programs. */
  json(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Writes a result unchanged. It must not contain control characters from outside. */
  text(text: string): void {
    this.stdout.write(text);
  }

  /** Returns text in a style, if standard output shows colours. */
  styled(style: Style | undefined, text: string): string {
    return style === undefined || !this.colors ? text : paint(style, text);
  }

  /** Writes a remark. On standard error it does not get into a result that is piped on. */
  remark(text: string): void {
    this.toStderr('yellow', text);
  }

  /** Writes why a command was refused or failed. */
  problem(text: string): void {
    this.toStderr('red', text);
  }

  /**
   * Runs `work`. After a second, a line on the terminal shows what takes so long, and counts the seconds. The line is
   * removed at the end. There is no such line without a terminal, e.g. in a log.
   *
   * @param what e.g. `making the key`
   */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { stderr } = this.io;
    if (stderr.isTTY !== true) return work();
    let seconds = 0;
    const timer = setInterval(
      () => stderr.write(`${CLEAR_LINE}signet: ${oneLine(what)} … ${++seconds} s`),
      1000,
    );
    try {
      return await work();
    } finally {
      clearInterval(timer);
      if (seconds > 0) stderr.write(CLEAR_LINE);
    }
  }

  private toStderr(style: Style, text: string): void {
    const { stderr } = this.io;
    const name = showsColors(stderr, this.env) ? paint(style, 'signet:') : 'signet:';
    stderr.write(`${name} ${oneLine(text)}\n`);
  }
}

const CLEAR_LINE = '\r\u001b[2K';

/** Returns text in a style, for any stream. Check {@link showsColors} first. */
export const paint = (style: Style, text: string): string =>
  styleText(style, text, { validateStream: false });

/** Converts seconds since 1970 to ISO 8601. A number that is no date is kept; `undefined` becomes `-`. */
export function toIsoTime(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000', '');
}
