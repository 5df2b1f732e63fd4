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
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
/** How long a process that ends waits for a reader of its last lines, in milliseconds. */
const LAST_LINES_MS = 300;

/**
 * Writes lines to stdout beside the event loop. They are gathered, since a write of its own per
 * line costs as much as answering the request, and as bytes: of a text Node makes bytes at the write, in memory for
 * three bytes per character. When nobody reads, lines are dropped and counted, and neither requests nor the end of the
 * process wait.
 */
export class StdoutDestination {
  /** Lines, so far. */
  dropped = 0;
  private readonly stream: ReturnType<typeof pino.destination>;
  private readonly writeBytes: number;
  /** Whole lines that the stream has not got, which keeps what it gets. */
  private gathered: Buffer = NOTHING;
  private used = 0;
  private giveUpAt = Infinity;

  /** @param shared other processes write to the same stdout */
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
    // A character takes three bytes at most. They are counted only where they might not fit.
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
    // What nobody reads must not keep more memory than twice its size.
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
    // In this mode it takes bytes, of which its types do not know.
    this.stream.write(lines as unknown as string);
  }

  private flush(): void {
    this.handOver();
    this.stream.flush();
  }
}
