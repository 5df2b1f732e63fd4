import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { kill, track } from '../run/resources.js';

/** An address where connections are neither accepted nor refused. */
export interface BlackHole {
  url: string;
  close(): Promise<void>;
}

const LISTEN = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
  server.on('listening', () => console.log(server.address().port));`;

/** A stopped process whose queue of new connections is full: the kernel drops every further SYN. */
export async function startBlackHole(): Promise<BlackHole> {
  const child = track(
    spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  // One more than fits shows that the queue is full.
  for (let full = false; !full;) {
    const socket = connect(Number(line), '127.0.0.1');
    fillers.push(socket);
    full = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  return {
    url: `http://127.0.0.1:${line}`,
    close: () => {
      for (const socket of fillers) socket.destroy();
      return kill(child);
    },
  };
}
