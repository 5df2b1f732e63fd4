import { createServer, type AddressInfo } from 'node:net';

/** A port that nobody else can take meanwhile. */
export interface HeldPort {
  readonly port: number;
  /** Gives it free for whoever listens next. */
  readonly release: () => Promise<void>;
}

/**
 * Takes a port, without serving anything there, and finds out which one 0 stands for. Sockets that share a
 * port would not notice another gateway on it, and take half of its connections.
 *
 * @throws Error of `listen`, e.g. `EADDRINUSE`
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
