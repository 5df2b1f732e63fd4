import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that wait behind another one. */
const MOST_WAITING = 256;

/**
 * A bound for what one connection can ask for at a time: Node hands over all pipelined requests at once
 * (RFC 9112 section 9.3.2), however many there are. A connection with more of them is closed.
 */
export class PipelineLimit {
  private readonly waiting = new WeakMap<Socket, number>();

  /** @param onExceeded called for each connection that is closed */
  constructor(private readonly onExceeded: () => void) {}

  /** Counts a request that waits behind another one of its connection. @returns false when the connection is closed */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // What was read in one piece comes all the same.
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
