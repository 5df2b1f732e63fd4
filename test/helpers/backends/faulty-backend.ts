import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { freePort } from '../run/free-port.js';

/** What the backend does with a socket once it has read a request. */
export type Fault = (socket: Socket, request: string) => void;

export interface FaultyBackend {
  url: string;
  /** What happens from now on. */
  does(fault: Fault): void;
  /** Heads of the requests so far. */
  requests: string[];
  /** Stops listening, and drops all connections. */
  down(): Promise<void>;
  /** Listens again, at the same address. */
  up(): Promise<void>;
}

/** A backend at the level of sockets: what it sends is sent byte for byte. */
export async function startFaultyBackend(): Promise<FaultyBackend> {
  let fault: Fault = (socket) => socket.destroy();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      head += chunk.toString();
      if (!head.includes('\r\n\r\n')) return;
      requests.push(head);
      fault(socket, head);
      head = '';
    });
  });
  // While it is down, nothing else may take its port.
  const port = await freePort();
  const up = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await up();
  return {
    url: `http://127.0.0.1:${port}`,
    does: (next) => {
      fault = next;
    },
    requests,
    down: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    up,
  };
}

/** A whole answer as bytes. */
export function reply(
  body: string | Buffer,
  headers: Record<string, string | number> = {},
  status = '200 OK',
): Buffer {
  const bytes = Buffer.from(body);
  const fields = { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n')), bytes]);
}
