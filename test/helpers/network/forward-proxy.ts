import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A forward proxy: tunnels by CONNECT, and plain requests with an absolute URL. */
export interface ForwardProxy {
  /** `host:port`, without a scheme. */
  host: string;
  /** What it was asked for: `CONNECT host:port`, or e.g. `GET url`. */
  asked: string[];
  /** `Proxy-Authorization` of each of these. */
  credentials: (string | undefined)[];
  /** What it does with what it is asked for. Default `pass`. */
  mode: 'pass' | 'refuse' | 'hang';
  stop(): Promise<void>;
}

/** Starts a proxy in this process; every name leads to 127.0.0.1. */
export async function startForwardProxy(): Promise<ForwardProxy> {
  const sockets = new Set<Duplex>();
  const keep = <Kept extends Duplex>(socket: Kept): Kept => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    return socket;
  };
  const note = (what: string, { headers }: IncomingMessage): void => {
    proxy.asked.push(what);
    proxy.credentials.push(headers['proxy-authorization']);
  };
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { url = '', method, headers } = incoming;
    note(`${method} ${url}`, incoming);
    if (proxy.mode === 'hang') return;
    if (proxy.mode === 'refuse') {
      outgoing.writeHead(407).end();
      return;
    }
    const { port, pathname } = new URL(url);
    const forwarded = request(
      { host: '127.0.0.1', port, path: pathname, method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  server.on('connection', keep);
  server.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const { url = '' } = incoming;
    note(`CONNECT ${url}`, incoming);
    if (proxy.mode === 'hang') return;
    if (proxy.mode === 'refuse') {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const target = keep(connect(Number(url.split(':').at(-1)), '127.0.0.1'));
    target.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: ForwardProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    credentials: [],
    mode: 'pass',
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
