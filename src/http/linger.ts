import type { IncomingMessage } from 'node:http';

/** Longest time until the client closes the connection, in milliseconds. */
const LINGER_MS = 2000;
const LOOK_MS = 50;
/** Most bytes that are still read of a body that is not needed. */
const LINGER_BYTES = 4 * 1024 * 1024;

/**
 * For an answer that is sent before the whole request was read, and ends the connection: the connection is closed for
 * writing only, and the rest of the request is discarded until the client closes it. Otherwise the kernel would answer
 * unread data with a reset, and the client would lose the answer (RFC 9112 section 9.6).
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
