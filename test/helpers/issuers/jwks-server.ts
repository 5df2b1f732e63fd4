import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { freePort } from '../run/free-port.js';

/** A server of JWK Sets that does what the test tells it to; it counts what it is asked for. */
export interface JwksServer {
  /** Of the set. */
  url: string;
  /** Times of all fetches so far, in milliseconds of `performance.now()`. */
  fetches: number[];
  /** Answers with these keys from now on, or with whatever the listener does. */
  serve(answer: readonly unknown[] | RequestListener): void;
  /** Refuses connections and breaks the present ones. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

/** What to send as a JWK Set. */
export const sendKeys =
  (keys: readonly unknown[]): RequestListener =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  };

/** Starts a server in this process, over TLS with a certificate. */
export async function startJwksServer(
  keys: readonly unknown[],
  tls?: { cert: string; key: string },
): Promise<JwksServer> {
  const fetches: number[] = [];
  let listener = sendKeys(keys);
  let server: Server;
  // While it is down, nothing else may take its port.
  const port = await freePort();
  const onRequest: RequestListener = (request, response) => {
    fetches.push(performance.now());
    listener(request, response);
  };
  const up = async (): Promise<void> => {
    server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await up();
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/jwks`,
    fetches,
    serve: (answer) => {
      listener = typeof answer === 'function' ? answer : sendKeys(answer);
    },
    down: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    up,
  };
}
