import { pino } from 'pino';

/** Milliseconds after which a line is written, at the latest. */
const FLUSH_MS = 50;
/**
 * Bytes of a write where several processes share stdout. Up to this size (PIPE_BUF) a pipe takes a write as a whole; in
 * larger ones the lines of two processes would mix. A longer line, e.g. with the stack of an error, is written alone.
 */
const SHARED_WRITE_BYTES = 4096;
/**
 * Bytes of a write of a process that has stdout for itself: half of what a pipe of Linux holds. Each write costs a task of
 * the thread pool and a system call; a 401 takes 3 % less CPU than with 4 kB (bench/README.md, 2026-11-28).
 */
const OWN_WRITE_BYTES = 32 * 1024;
/** Bytes that wait for the reader of stdout. Beyond them lines are dropped. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** Milliseconds that the end of the process waits for the reader of the last lines. */
const LAST_LINES_MS = 300;

/**
 * Writes lines to stdout without blocking the event loop. Lines are written in batches: one write per line would cost as
 * much as answering the request. When nobody reads stdout, lines are dropped and counted; neither requests nor the end of
 * the process wait.
 */
export class StdoutDestination {
  /** Number of lines that were dropped. */
  dropped = 0;
  private readonly stream: ReturnType<typeof pino.destination>;
  private readonly writeBytes: number;
  /** Lines that the stream has not got yet. It gets batches, since each write to it reads its whole buffer. */
  private batch = '';
  private batchBytes = 0;
  /** When writes are not tried again, by `performance.now()`. */
  private giveUpAt = Infinity;

  /** @param shared true where other processes write to the same stdout */
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
    // Before the listener of pino, which would try for ever.
    process.prependOnceListener('exit', () => {
      this.giveUpAt = performance.now() + LAST_LINES_MS;
      try {
        // First what the stream has: it does not wait for a write that begins now.
        this.stream.flushSync();
        this.handOver();
        this.stream.flushSync();
      } catch {
        // Nobody reads stdout.
        this.stream.destroy();
      }
    });
  }

  /** @param line a line with its line break */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.batchBytes + bytes > this.writeBytes) this.handOver();
    this.batch += line;
    this.batchBytes += bytes;
    if (this.batchBytes >= this.writeBytes - 1) this.handOver();
  }

  private handOver(): void {
    if (this.batchBytes === 0) return;
    this.stream.write(this.batch);
    this.batch = '';
    this.batchBytes = 0;
  }

  private flush(): void {
    this.handOver();
    this.stream.flush();
  }
}
