import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { CounterDatabase } from './counter-database.js';
import type { Call, FromThread, ThreadData, ToThread } from './protocol.js';
import { runBatch } from './run-batch.js';
import { StateDatabase } from './state-database.js';
import type { ThreadDatabase } from './thread-database.js';

/** The thread that waits for the disk, so that requests need not. */
const PURGE_MS = 10_000;
const LOOK_MS = 1000;

const { database: which, file } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error('this module is a worker');
const post = (message: FromThread): void => port.postMessage(message);

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.replaceAll(file, 'the file') : 'unknown error';
const open = (): ThreadDatabase =>
  which === 'state' ? new StateDatabase(file) : new CounterDatabase(file);
/** Identifies the file behind the path. */
const inode = (): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0;

let current: ThreadDatabase;
let opened = 0;
let lookedAt = 0;
let waiting: Call[] = [];

/** Whoever deletes or exchanges the file means it: SQLite would write on into the old one. */
function followFile(): void {
  const now = performance.now();
  if (now - lookedAt < LOOK_MS) return;
  if (inode() !== opened) {
    if (current.database.isOpen) current.database.close();
    current = open();
    opened = inode();
  }
  lookedAt = now;
}

/** Everything that came in while the disk was busy becomes one transaction. */
function work(): void {
  const calls = waiting;
  waiting = [];
  try {
    followFile();
    post({ answers: runBatch(current, calls) });
  } catch (error) {
    const reason = reasonOf(error);
    post({ answers: calls.map(({ id }) => ({ id, reason })) });
  }
}

function close(): void {
  if (waiting.length > 0) work();
  current.database.close();
  port?.close();
  clearInterval(purging);
}

const purging = setInterval(() => {
  try {
    current.purge();
  } catch {
    // The next time will do; whoever needs the database is told.
  }
}, PURGE_MS);

try {
  current = open();
  opened = inode();
  port.on('message', (message: ToThread) => {
    if (message === 'close') close();
    else if (waiting.push(message) === 1) setImmediate(work);
  });
  post({ opened: true });
} catch (error) {
  clearInterval(purging);
  post({ opened: false, reason: reasonOf(error) });
}
