import { createServer, type AddressInfo } from 'node:net';

/**
 * Finds out whether workers can listen there, and which port 0 stands for. Sockets that share a
 * port would not notice another gateway on it, and take half of its connections.
 *
 * @throws Error of `listen`, e.g. `EADDRINUSE`
 */
export async function reservePort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
  });
  const found = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  return found;
}
