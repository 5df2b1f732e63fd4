import { pino } from 'pino';

/** A line is at most this late, in milliseconds. */
const FLUSH_MS = 50;
/**
 * Whole lines are gathered up to what a pipe takes in one piece (PIPE_BUF): workers share one, and in
 * larger writes the lines of one would end up within those of another. A longer line, which only
 * the stack of an error can be, is written alone.
 */
const MAX_WRITE_BYTES = 4096;
/** Lines are dropped when the reader of stdout is this far behind. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** How long a process that ends waits for a reader of its last lines, in milliseconds. */
const LAST_LINES_MS = 300;

/**
 * Writes lines to stdout beside the event loop. They are gathered, since a write of its own per
 * line costs as much as answering the request. When nobody reads, lines are dropped and counted,
 * and neither requests nor the end of the process wait.
 */
export class StdoutDestination {
  readonly stream: ReturnType<typeof pino.destination>;
  /** Lines, so far. */
  dropped = 0;
  private giveUpAt = Infinity;

  constructor() {
    this.stream = pino.destination({
      dest: 1,
      sync: false,
      minLength: MAX_WRITE_BYTES - 1,
      maxWrite: MAX_WRITE_BYTES,
      periodicFlush: FLUSH_MS,
      maxLength: MAX_BUFFERED_BYTES,
      retryEAGAIN: () => performance.now() < this.giveUpAt,
    });
    this.stream.on('drop', () => this.dropped++);
    // Before pino's own listener, which would try for ever.
    process.prependOnceListener('exit', () => {
      this.giveUpAt = performance.now() + LAST_LINES_MS;
      try {
        this.stream.flushSync();
      } catch {
        // Nobody reads stdout any more.
        this.stream.destroy();
      }
    });
  }
}
