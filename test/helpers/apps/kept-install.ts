import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** Runs npm in a folder of {@link keptInstall}; no package may run scripts. */
export const npmIn = (directory: string, ...args: string[]): Promise<unknown> =>
  promisify(execFile)('npm', [...args, '--ignore-scripts', '--prefer-offline', '--no-audit'], {
    cwd: directory,
  });

/**
 * The packages of a folder with a lock file, installed once for each lock file and kept beside the runs, in
 * the cache of the user.
 *
 * @returns where they are
 */
export async function keptInstall(folder: string): Promise<string> {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const kept = join(homedir(), '.cache', `signet-${basename(folder)}-${digest}`);
  if (!existsSync(join(kept, 'complete'))) {
    rmSync(kept, { recursive: true, force: true });
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(folder, name), join(kept, name));
    await npmIn(kept, 'ci');
    writeFileSync(join(kept, 'complete'), '');
  }
  return kept;
}
