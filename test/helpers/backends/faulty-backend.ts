import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

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
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
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
    up: async () => void (await listen(port)),
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
