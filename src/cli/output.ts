import { oneLine } from '../core/text/index.js';
import type { CommandStream } from './command-io.js';

/** What a command tells: results on standard output, remarks on standard error. */
export class Output {
  constructor(
    private readonly stdout: CommandStream,
    private readonly stderr: CommandStream,
  ) {}

  /** A line of a result; a kid in it cannot break it or steer the terminal. */
  line(text: string): void {
    this.stdout.write(`${oneLine(text)}\n`);
  }

  /** Rows of a result, in columns as wide as their widest cell. */
  table(rows: readonly (readonly string[])[]): void {
    for (const line of toTable(rows)) this.line(line);
  }

  /** A result for programs. */
  json(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A result as it is: what it is made of holds nothing that could steer the terminal. */
  text(text: string): void {
    this.stdout.write(text);
  }

  /** A problem, or a remark that must not get into a result that is piped on. */
  remark(text: string): void {
    this.stderr.write(`signet: ${oneLine(text)}\n`);
  }
}

/** No blanks at line ends. */
function toTable(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Seconds since 1970 as ISO 8601; what is no date stays a number. */
export function toIsoTime(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000', '');
}
