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

/** The thread that waits for the disk, so that requests need not. */
const PURGE_MS = 10_000;
/** Between two pieces of what has expired, so that calls get their turn. */
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

/** Identifies the file behind the path. */
const inode = (): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0;

let current: ThreadDatabase;
let opened = 0;
let lookedAt = 0;
let waiting: Call[] = [];
/** Why nothing can be written at present. */
let readOnly: string | undefined;
let triedAt = 0;

/** What cannot be opened for writing is read, if it is there. */
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

/** Finds out whether it can be written again. */
function tryWriting(): void {
  const now = performance.now();
  if (readOnly === undefined || now - triedAt < LOOK_MS) return;
  triedAt = now;
  if (current.forReading) {
    // Also what is only read is opened anew: others may be able to write.
    const before = current;
    current = open();
    opened = inode();
    before.database.close();
    return;
  }
  try {
    // Nobody uses this number; it is written as everything is.
    current.database.exec('PRAGMA user_version = 0');
    readOnly = undefined;
  } catch (error) {
    readOnly = reasonOf(error);
  }
}

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

/** Each process looks at the clock as often as it asks what has changed. */
function followClock(): void {
  try {
    if (readOnly === undefined && current instanceof StateDatabase) current.followClock();
  } catch {
    // The next time will do: a revocation looks at it as well, and is told what is wrong.
  }
}

/**
 * Everything that came in while the disk was busy becomes one transaction. What nobody waits for any more is not
 * done: whoever asked was told that it failed, and may ask again.
 */
function work(): void {
  const calls = waiting.filter(({ deadline }) => deadline > steadyMs());
  waiting = [];
  try {
    followFile();
    tryWriting();
    if (calls.some(({ name }) => name === 'changes')) followClock();
    post({ answers: answer(calls), readOnly });
    // What was refused is not there.
    if (readOnly === undefined) takeBack(calls);
  } catch (error) {
    const reason = reasonOf(error);
    post({ answers: calls.map(({ id }) => ({ id, reason })), readOnly });
  }
}

/** Where nothing can be written, questions are answered all the same. */
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

/** A use of a refresh token that was on the disk too late for whoever asked: its answer has reached nobody. */
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

/** Piece by piece: a million at once would hold up everybody for seconds, and fill the disk with its log. */
function purge(): void {
  let more = false;
  try {
    more = current.purge(forgetting.horizon ?? 0);
  } catch (error) {
    // The next time will do; whoever needs the database is told.
    if (isWriteRefusal(error)) readOnly ??= reasonOf(error);
  }
  purging = setTimeout(purge, more ? PURGE_PAUSE_MS : PURGE_MS);
}

function close(): void {
  if (waiting.length > 0) work();
  // It is closed already where its file was taken away, and there is no other.
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
