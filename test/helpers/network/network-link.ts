import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterFile } from '../run/resources.js';

/** A network between a client and a server, with the faults of one. */
export interface NetworkLink {
  port: number;
  /** Each way takes so many milliseconds from now on. */
  delay(ms: number): void;
  /** Requests go on, and no answer comes back. */
  loseAnswers(): void;
  /** All connections end, and new ones are refused until it is mended. */
  cut(): void;
  /** New connections lead to another server on this machine; those that exist stay where they are. */
  to(port: number): void;
  /** Everything goes on; what was lost stays lost, and connections that lost something end. */
  mend(): void;
}

/** Opens a link to a server on this machine. */
export async function openLink(port: number): Promise<NetworkLink> {
  let target = port;
  let delayMs = 0;
  let losing = false;
  let isCut = false;
  const sockets = new Set<Socket>();
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const pass = (from: Socket, to: Socket, isAnswer: boolean): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    // In order, also what comes when the delay has just ended.
    const waiting: { data: Buffer; due: number }[] = [];
    const send = (): void => {
      for (let next; (next = waiting[0]) !== undefined; waiting.shift()) {
        const left = next.due - performance.now();
        if (left > 0) return void setTimeout(send, Math.ceil(left));
        if (to.writable) to.write(next.data);
      }
    };
    from.on('data', (data) => {
      if (losing && isAnswer) return;
      if (delayMs === 0 && waiting.length === 0) to.write(data);
      else if (waiting.push({ data, due: performance.now() + delayMs }) === 1) send();
    });
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    pass(client, upstream, false);
    pass(upstream, client, true);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterFile(async () => {
    end();
    server.close();
    server.unref();
  });
  return {
    port: (server.address() as AddressInfo).port,
    to: (next) => void (target = next),
    delay: (ms) => void (delayMs = ms),
    loseAnswers: () => void (losing = true),
    cut: () => {
      isCut = true;
      end();
    },
    mend: () => {
      const broken = losing;
      losing = false;
      isCut = false;
      if (broken) end();
    },
  };
}
