import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writers get this long to finish, in milliseconds. */
const SETTLE_MS = 50;

/**
 * Calls `changed` when the contents of a file have become others and have settled.
 *
 * A watch on the file itself goes dead after the first rename or Kubernetes `..data` swap, so the
 * directory is watched; a poll of the contents' hash finds whatever the watch misses.
 *
 * @param intervalMs milliseconds between polls
 * @param changed while it works, nothing more is told: what it reads last is the latest. Must not fail
 * @param text what the caller has read: whatever the first look finds may be newer
 * @returns ends the watching
 */
export function watchFile(
  path: string,
  intervalMs: number,
  changed: () => void | Promise<void>,
  text: string,
): () => void {
  let seen = hashOf(text);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  /** One look waits for the one before it. */
  let isDue = false;

  const look = async (): Promise<void> => {
    isDue = false;
    const hash = await contentHash(path);
    if (hash === seen || stopped) return;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    // Still being written: look again.
    if ((await contentHash(path)) !== hash) return soon();
    seen = hash;
    if (!stopped) await changed();
  };
  const soon = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(run, SETTLE_MS);
    timer.unref();
  };
  const run = (): void => {
    if (isDue) return;
    isDue = true;
    looking = looking.then(look);
  };

  run();
  const poll = setInterval(run, intervalMs).unref();
  const watcher = watchDirectory(dirname(path), soon);
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearInterval(poll);
    watcher?.close();
  };
}

/** `missing` for a file that cannot be read: its return is a change, too. */
async function contentHash(path: string): Promise<string> {
  try {
    return hashOf(await readFile(path));
  } catch {
    return 'missing';
  }
}

const hashOf = (contents: string | Buffer): string =>
  createHash('sha256').update(contents).digest('base64');

/** The poll alone has to do where the system has no watch to give. */
function watchDirectory(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, onEvent).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
