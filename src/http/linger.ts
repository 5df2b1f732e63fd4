import type { IncomingMessage } from 'node:http';

/** A client that does not hang up by itself loses the connection then, in milliseconds. */
const LINGER_MS = 2000;
const LOOK_MS = 50;
/** Bytes that are still read of a body that is not needed. */
const LINGER_BYTES = 4 * 1024 * 1024;

/**
 * For an answer that comes before the whole request was read, and ends the connection: it is closed for writing
 * only, and what the client still sends is thrown away until it hangs up. The kernel answers what nobody reads with
 * a reset, by which the client would lose the answer, too (RFC 9112 section 9.6).
 */
export function lingerOnClose({ socket }: IncomingMessage): void {
  // Called by Node once the answer is written.
  socket.destroySoon = (): void => {
    socket.end();
    const until = performance.now() + LINGER_MS;
    const most = socket.bytesRead + LINGER_BYTES;
    const timer = setInterval(() => {
      if (performance.now() >= until) socket.destroy();
      else if (socket.bytesRead > most) socket.pause();
    }, LOOK_MS).unref();
    socket.once('close', () => clearInterval(timer));
  };
}
