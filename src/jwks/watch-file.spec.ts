import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchFile } from './watch-file.js';

let folder: string;
let path: string;
let end: (() => void) | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-watch-'));
  path = join(folder, 'file');
});
afterEach(() => {
  end?.();
  rmSync(folder, { recursive: true });
});

it('sees what was written between the read of the caller and the first look', async () => {
  writeFileSync(path, 'newer');
  const changed = vi.fn<() => void>();
  end = watchFile(path, 60_000, changed, 'what was read');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
});

it('takes what the caller has read for no change, and tells of each change once', async () => {
  writeFileSync(path, 'one');
  const changed = vi.fn<() => void>();
  end = watchFile(path, 20, changed, 'one');
  writeFileSync(path, 'two');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  writeFileSync(path, 'three');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
});

it('sees a file that goes and comes back', async () => {
  writeFileSync(path, 'one');
  const changed = vi.fn<() => void>();
  end = watchFile(path, 20, changed, 'one');
  rmSync(path);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  writeFileSync(path, 'one');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
});

it('tells of nothing while its caller still works on the change before', async () => {
  writeFileSync(path, 'one');
  const work: PromiseWithResolvers<void>[] = [];
  const changed = vi.fn<() => Promise<void>>(() => {
    const one = Promise.withResolvers<void>();
    work.push(one);
    return one.promise;
  });
  end = watchFile(path, 10, changed, 'nothing');
  await vi.waitFor(() => expect(work).toHaveLength(1));
  writeFileSync(path, 'two');
  // Long enough to be seen, and to have settled.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(work).toHaveLength(1);
  work[0]?.resolve();
  await vi.waitFor(() => expect(work).toHaveLength(2));
  work[1]?.resolve();
});
