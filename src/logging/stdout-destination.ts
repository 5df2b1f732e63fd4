import { pino } from 'pino';

/** Longest delay of a line, in milliseconds. */
const FLUSH_MS = 50;
/**
 * Size of a write if several processes share stdout, in bytes. A pipe takes this much at once (PIPE_BUF); with larger
 * writes, lines of different processes could mix. A longer line, which only the stack of an error can be, is written
 * alone.
 */
const SHARED_WRITE_BYTES = 4096;
/**
 * Size of a write if no other process writes to stdout, in bytes: half of what a pipe of Linux holds. Each write takes
 * a hop to the thread pool and a system call: -3 % CPU of a 401 against writes of 4 kB (bench/README.md, 2026-11-28).
 */
const OWN_WRITE_BYTES = 32 * 1024;
/** Lines are dropped when the reader of stdout is this far behind. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
/** How long an exiting process waits until its last lines are read, in milliseconds. */
const LAST_LINES_MS = 300;

/**
 * Writes lines to stdout without blocking the event loop. Lines are buffered, since one write per line costs as much as
 * answering the request. They are buffered as bytes, since Node would convert text at the write, into memory for three
 * bytes per character. If stdout is not read, lines are dropped and counted: requests do not wait, and the end of the
 * process waits no longer than {@link LAST_LINES_MS}.
 */
export class StdoutDestination {
  /** Number of dropped lines so far. */
  dropped = 0;
  private readonly stream: ReturnType<typeof pino.destination>;
  private readonly writeBytes: number;
  /** Whole lines that the stream has not got yet. A buffer that it has got is not reused, since the stream keeps it. */
  private gathered: Buffer = NOTHING;
  private used = 0;
  private giveUpAt = Infinity;

  /** @param shared true: other processes write to the same stdout */
  constructor(shared: boolean) {
    this.writeBytes = shared ? SHARED_WRITE_BYTES : OWN_WRITE_BYTES;
    this.stream = pino.destination({
      dest: 1,
      contentMode: 'buffer',
      sync: false,
      minLength: this.writeBytes - 1,
      maxWrite: this.writeBytes,
      maxLength: MAX_BUFFERED_BYTES,
      retryEAGAIN: () => performance.now() < this.giveUpAt,
    });
    this.stream.on('drop', (lines: Buffer) => {
      this.dropped += lines.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
    });
    setInterval(() => this.flush(), FLUSH_MS).unref();
    // This listener has to run before that of pino, which would retry for ever.
    process.prependOnceListener('exit', () => {
      this.giveUpAt = performance.now() + LAST_LINES_MS;
      try {
        // Flush what the stream already has: otherwise the hand-over could begin an asynchronous write, for which
        // flushSync does not wait.
        this.stream.flushSync();
        this.handOver();
        this.stream.flushSync();
      } catch {
        // stdout is not read any more.
        this.stream.destroy();
      }
    });
  }

  /** Writes one line, which includes its line break. */
  write(line: string): void {
    // A character takes three bytes at most. The bytes are counted only if the line might not fit.
    if (line.length * 3 > this.gathered.length - this.used) {
      const bytes = Buffer.byteLength(line);
      if (bytes > this.gathered.length - this.used) this.handOver();
      if (bytes > this.writeBytes) {
        this.hand(Buffer.from(line));
        return;
      }
      if (this.gathered === NOTHING) this.gathered = Buffer.allocUnsafeSlow(this.writeBytes);
    }
    this.used += this.gathered.write(line, this.used);
    if (this.used >= this.writeBytes - 1) this.handOver();
  }

  private handOver(): void {
    const { gathered, used } = this;
    if (used === 0) return;
    this.used = 0;
    // A buffer must not take more than twice the memory of its lines while stdout is not read.
    if (used * 2 < gathered.length) {
      const copy = Buffer.allocUnsafeSlow(used);
      gathered.copy(copy, 0, 0, used);
      this.hand(copy);
    } else {
      this.gathered = NOTHING;
      this.hand(gathered.subarray(0, used));
    }
  }

  private hand(lines: Buffer): void {
    // In this mode the stream takes bytes, which its types do not declare.
    this.stream.write(lines as unknown as string);
  }

  private flush(): void {
    this.handOver();
    this.stream.flush();
  }
}
