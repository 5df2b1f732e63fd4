import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Connects, sends `text`, reads nothing; says how long it was left open. */
export function hold(url: string, text: string): { socket: Socket; closed: Promise<number> } {
  const { hostname, port } = new URL(url);
  const started = performance.now();
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on('error', () => undefined);
  return { socket, closed: once(socket, 'close').then(() => performance.now() - started) };
}
