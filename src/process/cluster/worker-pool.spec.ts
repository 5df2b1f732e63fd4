import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WorkerPool } from './worker-pool.js';

let workers: Worker[];
let sent: [worker: number, message: unknown][];
beforeEach(() => {
  vi.useFakeTimers();
  workers = [];
  sent = [];
  vi.spyOn(cluster, 'setupPrimary').mockReturnValue();
  vi.spyOn(cluster, 'fork').mockImplementation(() => {
    const id = workers.length + 1;
    const worker = Object.assign(new EventEmitter(), {
      id,
      isConnected: () => true,
      send: (message: unknown) => sent.push([id, message]) > 0,
      process: { kill: () => true },
    }) as unknown as Worker;
    workers.push(worker);
    return worker;
  });
});
afterEach(() => {
  vi.useRealTimers();
  cluster.removeAllListeners();
});

const listens = (worker: Worker | undefined): unknown =>
  cluster.emit('message', worker, { signet: 'listening' });

it('tells a worker of a reload that came while it was being started, once it serves', () => {
  const events = { ready: () => undefined, failed: () => undefined, gone: () => undefined };
  const logger = { log: () => undefined, error: () => undefined };
  const pool = new WorkerPool(2, {}, events, logger as never);
  pool.start();
  listens(workers[0]);
  pool.reload();
  // The reload came during its start, so it may have read its files before they were changed.
  expect(sent).toEqual([[1, { signet: 'reload' }]]);
  listens(workers[1]);
  expect(sent.slice(1)).toEqual([[2, { signet: 'reload' }]]);
  pool.reload();
  expect(sent.slice(2).map(([id]) => id)).toEqual([1, 2]);
});
