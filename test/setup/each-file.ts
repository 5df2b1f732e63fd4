import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, onTestFinished } from 'vitest';
import { giveBack, killLeftProcesses, runningProcesses } from '../helpers/run/resources.js';

// For the hundreds of processes that load the same modules. Vitest's own were started without it: they end
// after the run's folder is removed, and would write their part of the cache to it.
process.env.NODE_COMPILE_CACHE = join(tmpdir(), 'compile-cache');

// Hooks run in reverse order: these are registered first, so they run after those of the file.

beforeEach(() => {
  const before = new Set(runningProcesses());
  onTestFinished(() => killLeftProcesses(runningProcesses().filter((child) => !before.has(child))));
});

afterAll(async () => {
  try {
    await killLeftProcesses(runningProcesses());
  } finally {
    await giveBack();
  }
});
