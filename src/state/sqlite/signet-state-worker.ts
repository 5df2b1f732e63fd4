import { existsSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { steadyMs } from '../clock-record.js';
import { CounterDatabase } from './counter-database.js';
import { Forgetting } from '../forgetting.js';
import { isWriteRefusal } from './open-database.js';
import type { Answer, Call, FromThread, ThreadData, ToThread } from './protocol.js';
import { isRead, runBatch } from './run-batch.js';
import { StateDatabase } from './state-database.js';
import type { ThreadDatabase } from './thread-database.js';

// This module runs in a thread of its own, which waits for the disk so that requests need not.
/** Time between two purges, in milliseconds. */
const PURGE_MS = 10_000;
/** Pause between two batches of a purge, in milliseconds, so that calls get their turn. */
const PURGE_PAUSE_MS = 20;
const LOOK_MS = 1000;

const { database: which, file } = workerData as ThreadData;
const port = parentPort;
if (port === null) throw new Error('this module is a worker');
const post = (message: FromThread): void => port.postMessage(message);

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.replaceAll(file, 'the file') : 'unknown error';
const openForWriting = (): ThreadDatabase =>
  which === 'state' ? new StateDatabase(file) : new CounterDatabase(file);

/** Identifies the file at the path; 0 if there is none. */
const inode = (): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0;

let current: ThreadDatabase;
let opened = 0;
let lookedAt = 0;
let waiting: Call[] = [];
/** Why nothing can be written at present. */
let readOnly: string | undefined;
let triedAt = 0;

/** Opens the database. A state database that cannot be opened for writing is opened for reading, if it exists. */
function open(): ThreadDatabase {
  try {
    const database = openForWriting();
    readOnly = undefined;
    return database;
  } catch (error) {
    if (which !== 'state' || !existsSync(file)) throw error;
    let database: ThreadDatabase;
    try {
      database = new StateDatabase(file, true);
    } catch {
      throw error;
    }
    readOnly = reasonOf(error);
    triedAt = performance.now();
    return database;
  }
}

/** Finds out, at most once a second, whether the database can be written again. */
function tryWriting(): void {
  const now = performance.now();
  if (readOnly === undefined || now - triedAt < LOOK_MS) return;
  triedAt = now;
  if (current.forReading) {
    // Opened anew even if for reading again: the old connection may not see what other processes write.
    const before = current;
    current = open();
    opened = inode();
    before.database.close();
    return;
  }
  try {
    // Nothing uses this number; writing it is a write like any other.
    current.database.exec('PRAGMA user_version = 0');
    readOnly = undefined;
  } catch (error) {
    readOnly = reasonOf(error);
  }
}

/** Opens the file anew if it was deleted or replaced: SQLite would go on writing into the old one. */
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

/** Notes whether the clock was set; called whenever this process asks for changes. */
function followClock(): void {
  try {
    if (readOnly === undefined && current instanceof StateDatabase) current.followClock();
  } catch {
    // The next call tries again. Adding a revocation notes the clock as well, and reports what is wrong.
  }
}

/**
 * Runs all calls that came in while the disk was busy as one transaction. A call past its deadline is not carried out:
 * its caller was told that it failed, and may ask again.
 */
function work(): void {
  const calls = waiting.filter(({ deadline }) => deadline > steadyMs());
  waiting = [];
  try {
    followFile();
    tryWriting();
    if (calls.some(({ name }) => name === 'changes')) followClock();
    post({ answers: answer(calls), readOnly });
    // Refused writes did not happen and need not be undone.
    if (readOnly === undefined) takeBack(calls);
  } catch (error) {
    const reason = reasonOf(error);
    post({ answers: calls.map(({ id }) => ({ id, reason })), readOnly });
  }
}

/** Runs calls. If nothing can be written, reads are answered and writes are refused. */
function answer(calls: readonly Call[]): Answer[] {
  try {
    return runBatch(current, calls);
  } catch (error) {
    if (!isWriteRefusal(error)) throw error;
    const reason = reasonOf(error);
    readOnly = reason;
    const writes = calls.filter((call) => !isRead(call));
    return [
      ...runBatch(current, calls.filter(isRead)),
      ...writes.map(({ id }) => ({ id, reason, refused: true }) as const),
    ];
  }
}

/** Undoes uses of refresh tokens that were committed after their deadline: no caller has received the answer. */
function takeBack(calls: readonly Call[]): void {
  const now = steadyMs();
  const late = calls.filter(({ name, deadline }) => name === 'consume' && deadline <= now);
  if (late.length > 0)
    runBatch(
      current,
      late.map(({ id, args, deadline }) => ({ id, args, deadline, name: 'release' })),
    );
}

const forgetting = new Forgetting();

/** Deletes in batches: a million rows at once would block all calls for seconds, and fill the disk with the log. */
function purge(): void {
  let more = false;
  try {
    more = current.purge(forgetting.horizon ?? 0);
  } catch (error) {
    // The next purge tries again; calls report what is wrong with the database.
    if (isWriteRefusal(error)) readOnly ??= reasonOf(error);
  }
  purging = setTimeout(purge, more ? PURGE_PAUSE_MS : PURGE_MS);
}

function close(): void {
  if (waiting.length > 0) work();
  // It is closed already if its file was removed and no other could be opened.
  if (current.database.isOpen) current.database.close();
  port?.close();
  clearTimeout(purging);
}

let purging: NodeJS.Timeout | undefined;

try {
  current = open();
  opened = inode();
  port.on('message', (message: ToThread) => {
    if (message === 'close') close();
    else if (waiting.push(message) === 1) setImmediate(work);
  });
  purging = setTimeout(purge, PURGE_MS);
  post({ opened: true, readOnly });
} catch (error) {
  post({ opened: false, reason: reasonOf(error) });
}
