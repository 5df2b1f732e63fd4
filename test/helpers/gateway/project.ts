import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** What the npm scripts that build and serve read. */
const FILES = [
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts',
  'src',
  'dist',
];

/** A copy of the project in which a test may build, and which writes its keys and its state to itself. */
export interface ProjectCopy {
  directory: string;
  remove(): void;
}

/** Copies what builds and serves; `node_modules` is a link. */
export function copyProject(): ProjectCopy {
  const directory = mkdtempSync(join(tmpdir(), 'signet-project-'));
  for (const name of FILES)
    if (existsSync(name)) cpSync(name, join(directory, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The environment of a user's shell: nothing of the test runner's, and the Node of npm scripts. */
export const shellEnvironment = (env: Readonly<Record<string, string>> = {}) => ({
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  HOME: process.env.HOME ?? '',
  ...env,
});
