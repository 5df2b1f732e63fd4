import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdtempSync, rmSync, type FSWatcher } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * What the test file that runs has to give back. test/setup/each-file.ts sees to it after the file, and
 * fails for a process that is still there.
 */
const folders = new Set<string>();
const processes = new Set<ChildProcess>();
const endings: (() => Promise<void>)[] = [];
/** Open watches of files, which write to the log when their file is removed, by then to that of another test file. */
const watches = new Map<FSWatcher, string>();

const { watch } = fs;
fs.watch = ((...args: Parameters<typeof watch>): FSWatcher => {
  const watcher = watch(...args);
  watches.set(watcher, String(args[0]));
  const close = watcher.close.bind(watcher);
  watcher.close = () => {
    watches.delete(watcher);
    close();
  };
  return watcher;
}) as typeof watch;
syncBuiltinESMExports();

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

/**
 * Ends what {@link afterFile} was told of, and removes the folders.
 *
 * @throws an error that names what is still watched, as by the key store of an application that did not boot
 */
export async function giveBack(): Promise<void> {
  for (const end of endings.splice(0)) await end();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
  const watched = new Set(watches.values());
  for (const watcher of watches.keys()) watcher.close();
  watches.clear();
  if (watched.size > 0) throw new Error(`left watched: ${[...watched].join(', ')}`);
}
