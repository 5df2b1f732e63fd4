import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flood } from '../helpers/network/flood.js';
import { startGateway } from '../helpers/gateway/gateway.js';
import { workersOf } from '../helpers/gateway/processes.js';

describe('a log of several workers', () => {
  it('has whole lines, though they share a pipe', async () => {
    // A pipe of the shell's: Node's own are sockets, which keep larger writes together.
    const gateway = await startGateway({ WORKERS: '2', THROTTLE_LIMIT: '0' }, undefined, [
      'bash',
      '-c',
      'exec "$@" > >(cat)',
      'bash',
    ]);
    const reader = workersOf(gateway.process.pid).find(
      (pid) => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'cat\n',
    );
    // Only when the pipe is full are writes done in pieces.
    let stopped = false;
    const stopAndGo = setInterval(() => {
      stopped = !stopped;
      process.kill(reader as number, stopped ? 'SIGSTOP' : 'SIGCONT');
    }, 700);
    // At a rate that fills the pipe, but not the buffers before it.
    const id = `X-Request-Id: ${'x'.repeat(100)}\r\n`;
    const { status } = await flood(gateway.url, 64, 3000, 4, id);
    clearInterval(stopAndGo);
    process.kill(reader as number, 'SIGCONT');
    const sent = Object.values(status).reduce((sum, one) => sum + (one?.count ?? 0), 0);
    // Whoever ends does not wait for the reader of its last lines.
    await expect
      .poll(() => gateway.output().split('\n').length, { timeout: 30_000 })
      .toBeGreaterThan(sent);
    await gateway.stop();
    const lines = gateway.output().split('\n').filter(Boolean);
    const broken = lines.filter((line) => {
      try {
        return typeof JSON.parse(line) !== 'object';
      } catch {
        return true;
      }
    });
    expect(broken).toEqual([]);
    expect(lines.length).toBeGreaterThan(sent);
  });
});
