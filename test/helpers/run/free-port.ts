import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Systems give higher ports to `listen(0)` and to connections, so none of these is taken by another test meanwhile. */
const FIRST = 20_000;
/** Each worker of vitest has ports of its own, which it takes in turn: no two test files get the same one. */
const PER_WORKER = 3000;
const ofWorker = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % 4) * PER_WORKER;
let taken = randomInt(PER_WORKER);

/** Returns a port of the loopback interface that nothing listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ofWorker + (taken++ % PER_WORKER);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
