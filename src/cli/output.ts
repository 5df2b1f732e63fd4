import { styleText } from 'node:util';
import { oneLine } from '../core/text/index.js';
import type { RawEnvironment } from '../environment/index.js';
import type { CommandIo, CommandStream } from './command-io.js';

/** A colour or weight, by the names of Node's `styleText`. */
export type Style = Extract<Parameters<typeof styleText>[0], string>;

/**
 * True where a stream shows colours: a terminal, or anything with `FORCE_COLOR`. `NO_COLOR` and `TERM`
 * count as they do in Node.
 */
export const showsColors = (stream: CommandStream, env: RawEnvironment): boolean =>
  (stream.isTTY === true || env.FORCE_COLOR !== undefined) &&
  // Loaded where it is asked only.
  process.getBuiltinModule('node:tty').WriteStream.prototype.getColorDepth(env) > 2;

/** What a command tells: results on standard output, remarks on standard error. */
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

  /** A line of a result; a kid in it cannot break it or steer the terminal. */
  line(text: string): void {
    this.stdout.write(`${oneLine(text)}\n`);
  }

  /** Lines of a result, each a name and a value. */
  fields(fields: readonly (readonly [name: string, value: string])[]): void {
    const width = Math.max(...fields.map(([name]) => name.length));
    for (const [name, value] of fields)
      this.stdout.write(
        `${this.styled(name === 'next' ? 'cyan' : 'bold', name)}${' '.repeat(width - name.length)}  ${oneLine(value)}\n`,
      );
  }

  /**
   * Rows of a result, in columns as wide as their widest cell.
   *
   * @param styles of the words of a column, by its heading; without them there are no headings
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
      // No blanks at line ends.
      const last = row.findLastIndex((cell) => cell !== '');
      const line = row.slice(0, last + 1).map((cell, column) => {
        const style = index === 0 ? styles && 'bold' : styles?.[headings[column] ?? '']?.[cell];
        const padding = column === last ? 0 : (widths[column] ?? 0) - cell.length;
        return this.styled(style, cell) + ' '.repeat(padding);
      });
      this.stdout.write(`${line.join('  ')}\n`);
    }
  }

  /** A result for programs. */
  json(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A result as it is: what it is made of holds nothing that could steer the terminal. */
  text(text: string): void {
    this.stdout.write(text);
  }

  /** A piece of a result in a colour, where standard output shows colours. */
  styled(style: Style | undefined, text: string): string {
    return style === undefined || !this.colors ? text : paint(style, text);
  }

  /** A remark that must not get into a result that is piped on. */
  remark(text: string): void {
    this.toStderr('yellow', text);
  }

  /** Why a command was refused or failed. */
  problem(text: string): void {
    this.toStderr('red', text);
  }

  /**
   * Says on a terminal what takes so long, once it takes longer than a second, and counts the seconds.
   * The line goes away at the end; where it would stay, in a log, there is none.
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

/** A text in a colour, wherever it goes: ask {@link showsColors} before. */
export const paint = (style: Style, text: string): string =>
  styleText(style, text, { validateStream: false });

/** Seconds since 1970 as ISO 8601; what is no date stays a number. */
export function toIsoTime(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000', '');
}
