import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Time for a writer to finish, in milliseconds. */
const SETTLE_MS = 50;

/**
 * Calls `changed` when the contents of a file have changed and have settled.
 *
 * A watch on the file itself stops working after the first rename or Kubernetes `..data` swap, so the directory is
 * watched. A poll of the contents' hash finds changes that the watch misses.
 *
 * @param intervalMs milliseconds between polls
 * @param changed is not called again while it runs, so that its last read is the latest. It must not fail
 * @param text contents that the caller has read. The file may have changed since then
 * @returns a function that ends the watching
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
  /** True while a look waits for the one before it. */
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

/** Returns `missing` for a file that cannot be read, so that its return counts as a change. */
async function contentHash(path: string): Promise<string> {
  try {
    return hashOf(await readFile(path));
  } catch {
    return 'missing';
  }
}

const hashOf = (contents: string | Buffer): string =>
  createHash('sha256').update(contents).digest('base64');

/** Returns `undefined` if the system cannot watch the directory. Only the poll finds changes then. */
function watchDirectory(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, onEvent).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
