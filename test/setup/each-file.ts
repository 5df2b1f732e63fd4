import { afterAll, beforeEach, onTestFinished } from 'vitest';
import { giveBack, killLeftProcesses, runningProcesses } from '../helpers/resources.js';

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
