import { pino } from 'pino';

/** A line is at most this late, in milliseconds. */
const FLUSH_MS = 50;
/**
 * What a pipe takes in one piece (PIPE_BUF): where several processes share one, in larger writes the lines of one
 * would end up within those of another. A longer line, which only the stack of an error can be, is written alone.
 */
const SHARED_WRITE_BYTES = 4096;
/**
 * Of a process that has stdout for itself: each write is a hop to the thread pool and a system call, -3 % CPU of a
 * 401 against writes of 4 kB (bench/README.md, 2026-11-28). Half of what a pipe of Linux holds.
 */
const OWN_WRITE_BYTES = 32 * 1024;
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
  /** Lines, so far. */
  dropped = 0;
  private readonly stream: ReturnType<typeof pino.destination>;
  private readonly writeBytes: number;
  /** Whole lines that the stream has not got: it would look at all of what it has with each further line. */
  private gathered = '';
  private gatheredBytes = 0;
  private giveUpAt = Infinity;

  /** @param shared other processes write to the same stdout */
  constructor(shared: boolean) {
    this.writeBytes = shared ? SHARED_WRITE_BYTES : OWN_WRITE_BYTES;
    this.stream = pino.destination({
      dest: 1,
      sync: false,
      minLength: this.writeBytes - 1,
      maxWrite: this.writeBytes,
      maxLength: MAX_BUFFERED_BYTES,
      retryEAGAIN: () => performance.now() < this.giveUpAt,
    });
    this.stream.on('drop', (lines: string) => {
      this.dropped += lines.split('\n').length - 1;
    });
    setInterval(() => this.flush(), FLUSH_MS).unref();
    // Before pino's own listener, which would try for ever.
    process.prependOnceListener('exit', () => {
      this.giveUpAt = performance.now() + LAST_LINES_MS;
      try {
        // What the stream has makes room first: it would not wait for a write that it begins now.
        this.stream.flushSync();
        this.handOver();
        this.stream.flushSync();
      } catch {
        // Nobody reads stdout any more.
        this.stream.destroy();
      }
    });
  }

  /** Takes one line, with its end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.gatheredBytes + bytes > this.writeBytes) this.handOver();
    this.gathered += line;
    this.gatheredBytes += bytes;
    if (this.gatheredBytes >= this.writeBytes - 1) this.handOver();
  }

  private handOver(): void {
    if (this.gatheredBytes === 0) return;
    this.stream.write(this.gathered);
    this.gathered = '';
    this.gatheredBytes = 0;
  }

  private flush(): void {
    this.handOver();
    this.stream.flush();
  }
}
