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
