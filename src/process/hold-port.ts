import { createServer, type AddressInfo } from 'node:net';

/** A port that no other process can use until it is released. */
export interface HeldPort {
  readonly port: number;
  /** Frees the port for the next listener. */
  readonly release: () => Promise<void>;
}

/**
 * Occupies a port without serving anything on it, and finds a free one for port 0. Sockets that share a port would
 * not notice another gateway on it, and would take half of its connections.
 *
 * @throws Error of `listen`, e.g. with code `EADDRINUSE`
 */
export async function holdPort(host: string, port: number): Promise<HeldPort> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
