import cluster from 'node:cluster';
import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as Pino } from 'pino';
import { escapeControls, visibleInJson } from '../core/text/index.js';
import { missingPackage } from '../packages/index.js';
import { isoTime } from './iso-time.js';
import { lineWriter, type LineWriter } from './request-lines.js';
import { StdoutDestination } from './stdout-destination.js';

/** Options of {@link createLog}. */
export interface LogOptions {
  /** Lowest level that is written: that of pino, or `silent`. */
  level: string;
  /** `pretty` for people, `json` for machines. */
  format: 'pretty' | 'json';
  /** False: no other process writes to stdout, so lines can be written in larger pieces. Default true. */
  shared?: boolean;
}

/** Contexts in which Nest reports its start-up. Their lines are written at level `debug`. */
const QUIET_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);
/** Context in which Nest logs an error that stops the boot. It is dropped: `main` prints those errors itself. */
const BOOT_ERRORS = 'ExceptionHandler';

const PRETTY = {
  colorize: process.stdout.isTTY,
  sync: true,
  singleLine: true,
  ignore: 'context',
  // A message may quote kids, claims and paths. Line breaks in them must not begin another line.
  messageFormat: ({ context, msg }: Record<string, unknown>) =>
    escapeControls(`${typeof context === 'string' ? `${context}: ` : ''}${String(msg)}`),
};

/** A logger of one part of the process. Nest's `Logger` has the same methods. */
export interface Logger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** @param line the members of the line, with `msg` */
  fatal(line: object): void;
}

/** The log of the process. */
export interface Log {
  pino: Pino;
  /** Makes a logger for code that runs without Nest. @param context its name in the log */
  logger: (context: string) => Logger;
  /** Number of lines that were dropped, since stdout was not read. */
  dropped: () => number;
  /** Writes the lines of requests with less CPU than `pino`. `undefined` where the format is not JSON. */
  line?: LineWriter;
}

/**
 * Creates the log, on stdout. The JSON format never waits for the reader of stdout. Without `pino-pretty`, an optional
 * peer dependency, the format is JSON, and the first line is a warning with the command that installs it.
 */
export async function createLog({ level, format, shared = true }: LogOptions): Promise<Log> {
  const pretty = format === 'pretty' ? await loadPretty() : undefined;
  const isPretty = typeof pretty === 'function';
  // `pino-pretty` parses the line again, so control characters have to be escaped twice.
  const streamWrite = (line: string): string => visibleInJson(line, isPretty);
  const options = { level, base: undefined, timestamp: isoTime, hooks: { streamWrite } };
  if (isPretty) return logOver(pino(options, pretty(PRETTY)), () => 0);
  const destination = new StdoutDestination(shared);
  const log = logOver(pino(options, destination), () => destination.dropped);
  log.line = lineWriter((line) => destination.write(line));
  // One warning for all workers: in a cluster the primary logs it.
  if (pretty !== undefined && !cluster.isWorker)
    log.logger('Log').warn(`The log is JSON, since ${pretty}, or set LOG_FORMAT=json.`);
  return log;
}

/** The function of `pino-pretty`, or a text that says what is not installed. */
async function loadPretty(): Promise<typeof import('pino-pretty').PinoPretty | string> {
  try {
    return (await import('pino-pretty')).PinoPretty;
  } catch (error) {
    const missing = await missingPackage(error);
    if (missing === undefined) throw error;
    return missing;
  }
}

function logOver(output: Pino, dropped: () => number): Log {
  const nest = new SignetLogger(output);
  const logger = (context: string): Logger => ({
    log: (message) => nest.log(message, context),
    warn: (message) => nest.warn(message, context),
    error: (message) => nest.error(message, context),
    fatal: (line) => nest.fatal(line, context),
  });
  return { pino: output, logger, dropped };
}

/** The logger of Nest, which writes to pino. */
export class SignetLogger implements LoggerService {
  constructor(private readonly output: Pino) {}

  log(message: unknown, context?: string): void {
    this.write(QUIET_CONTEXTS.has(context ?? '') ? 'debug' : 'info', message, context);
  }

  error(message: unknown, ...rest: string[]): void {
    const context = rest.at(-1);
    if (context !== BOOT_ERRORS) this.write('error', message, context);
  }

  warn(message: unknown, context?: string): void {
    this.write('warn', message, context);
  }

  debug(message: unknown, context?: string): void {
    this.write('debug', message, context);
  }

  verbose(message: unknown, context?: string): void {
    this.write('trace', message, context);
  }

  fatal(message: unknown, context?: string): void {
    this.write('fatal', message, context);
  }

  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    context: string | undefined,
  ): void {
    if (message instanceof Error) this.output[level]({ context, err: message }, message.message);
    else if (typeof message === 'string') this.output[level]({ context }, message);
    else this.output[level]({ context, ...(message as object) });
  }
}
