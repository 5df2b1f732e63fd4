import cluster from 'node:cluster';
import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as Pino } from 'pino';
import { visible, visibleInJson } from '../core/text/index.js';
import { missingPackage } from '../packages/index.js';
import { isoTime } from './iso-time.js';
import { lineWriter, type LineWriter } from './request-lines.js';
import { StdoutDestination } from './stdout-destination.js';

/** How the log is written. */
export interface LogOptions {
  level: string;
  /** `pretty` for people, `json` for machines. */
  format: 'pretty' | 'json';
  /** False: no other process writes to this stdout, so lines may be written in larger pieces. Default true. */
  shared?: boolean;
}

/** Nest's own report of its start-up: of interest only when something is wrong with it. */
const QUIET_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);
/** `main` prints what stops the boot, in one line per problem. */
const BOOT_ERRORS = 'ExceptionHandler';

const PRETTY = {
  colorize: process.stdout.isTTY,
  sync: true,
  singleLine: true,
  ignore: 'context',
  // A message may quote others: kids, claims, paths. Whatever they hold, it is one line.
  messageFormat: ({ context, msg }: Record<string, unknown>) =>
    visible(`${typeof context === 'string' ? `${context}: ` : ''}${String(msg)}`),
};

/** What a part of the process writes to. Nest's `Logger` is one, too. */
export interface Logger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** @param line members of the line, `msg` among them */
  fatal(line: object): void;
}

/** The process's log. */
export interface Log {
  pino: Pino;
  /** For a part of the process that runs without Nest. @param context its name */
  logger: (context: string) => Logger;
  /** Lines that were dropped because nobody read stdout, so far. */
  dropped: () => number;
  /** Writes lines with members of its own as `pino` would, for less; left out where the log is not JSON. */
  line?: LineWriter;
}

/**
 * A structured log on stdout; as JSON it never blocks on its reader. Without `pino-pretty`, an optional
 * peer, it is JSON and begins with how to get it.
 */
export async function createLog({ level, format, shared = true }: LogOptions): Promise<Log> {
  const pretty = format === 'pretty' ? await loadPretty() : undefined;
  const isPretty = typeof pretty === 'function';
  // The pretty format parses the line again, so what steers has to stay text in it.
  const streamWrite = (line: string): string => visibleInJson(line, isPretty);
  const options = { level, base: undefined, timestamp: isoTime, hooks: { streamWrite } };
  if (isPretty) return logOver(pino(options, pretty(PRETTY)), () => 0);
  const destination = new StdoutDestination(shared);
  const log = logOver(pino(options, destination), () => destination.dropped);
  log.line = lineWriter((line) => destination.write(line));
  // Once for all workers.
  if (pretty !== undefined && !cluster.isWorker)
    log.logger('Log').warn(`The log is JSON, since ${pretty}, or set LOG_FORMAT=json.`);
  return log;
}

/** Makes lines pretty; text says what is not installed. */
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

/** Nest's logger over pino. */
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
