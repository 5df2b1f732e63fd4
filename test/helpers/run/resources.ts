import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * What the test file that runs has to give back. test/setup/each-file.ts sees to it after the file, and
 * fails for a process that is still there.
 */
const folders = new Set<string>();
const processes = new Set<ChildProcess>();
const endings: (() => Promise<void>)[] = [];

/** Runs `end` after the test file. */
export const afterFile = (end: () => Promise<void>): void => void endings.push(end);

/** A fresh folder, removed after the test file. */
export function tempFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `signet-${name}-`));
  folders.add(folder);
  return folder;
}

/** Registers a process that the test has to end. */
export function track<Child extends ChildProcess>(child: Child): Child {
  processes.add(child);
  child.once('exit', () => processes.delete(child));
  return child;
}

/** Whether a process is still there. */
export const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

/** Kills a process, unless it has ended, and waits for its end. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (!isRunning(child) || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** The registered processes that have not ended. */
export const runningProcesses = (): ChildProcess[] => [...processes];

/**
 * Kills processes that a test has left.
 *
 * @throws an error that names them, if there are any
 */
export async function killLeftProcesses(left: readonly ChildProcess[]): Promise<void> {
  for (const child of left) await kill(child);
  if (left.length > 0)
    throw new Error(`left running: ${left.map(({ spawnargs }) => spawnargs.join(' ')).join('; ')}`);
}

/** Ends what {@link afterFile} was told of, and removes the folders. */
export async function giveBack(): Promise<void> {
  for (const end of endings.splice(0)) await end();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}
