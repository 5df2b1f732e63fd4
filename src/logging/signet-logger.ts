import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** How the log is written. */
export interface LogOptions {
  level: string;
  /** `pretty` for people, `json` for machines. */
  format: 'pretty' | 'json';
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

/** A line is at most this late, in milliseconds. */
const FLUSH_MS = 50;
/** Lines are dropped when the reader of stdout is this far behind. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const PRETTY = {
  colorize: process.stdout.isTTY,
  sync: true,
  singleLine: true,
  ignore: 'context',
  messageFormat: '{if context}{context}: {end}{msg}',
};

/** A structured log on stdout that never blocks on its reader. */
export function createPino({ level, format }: LogOptions): Logger {
  const options = { level, base: undefined, timestamp: stdTimeFunctions.isoTime };
  return format === 'pretty' ? pino(options, PinoPretty(PRETTY)) : pino(options, jsonDestination());
}

/** Lines are gathered, since a write of its own per line costs as much as answering the request. */
function jsonDestination(): ReturnType<typeof pino.destination> {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 4096,
    periodicFlush: FLUSH_MS,
    maxLength: MAX_BUFFERED_BYTES,
  });
  process.once('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // Nobody reads stdout any more.
    }
  });
  return destination;
}

/** Nest's logger over pino. */
export class SignetLogger implements LoggerService {
  constructor(private readonly output: Logger) {}

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
