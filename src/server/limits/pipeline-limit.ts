import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Most requests of one connection that may wait behind another one. */
const MOST_WAITING = 256;

/**
 * Limits the pipelined requests of one connection, since Node hands over all of them at once (RFC 9112 section 9.3.2).
 * A connection with more than {@link MOST_WAITING} is closed.
 */
export class PipelineLimit {
  private readonly waiting = new WeakMap<Socket, number>();

  /** @param onExceeded called for each connection that is closed */
  constructor(private readonly onExceeded: () => void) {}

  /** Counts a request that waits behind another one of its connection. @returns false when the connection is closed */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // Requests that were read in one piece still arrive after the connection was closed.
    if (socket.destroyed) return false;
    const waiting = (this.waiting.get(socket) ?? 0) + 1;
    if (waiting > MOST_WAITING) {
      this.onExceeded();
      socket.destroy();
      return false;
    }
    this.waiting.set(socket, waiting);
    response.once('close', () => this.waiting.set(socket, (this.waiting.get(socket) ?? 1) - 1));
    return true;
  }
}
