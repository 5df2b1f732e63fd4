import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readKeyText } from './key-file-contents.js';

const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_ALL = 0o002;
/** In such a folder only the owner of a file can replace it. */
const STICKY = 0o1000;

/** How others can read or change a key file, one line per way. */
export async function exposureOf(path: string): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const problems: string[] = [];
  const { exposure } = await readKeyText(path);
  if (exposure !== undefined) problems.push(exposure);
  // Whoever can write to an encrypted file can bring back an old one.
  else if (((await stat(path)).mode & WRITABLE_BY_OTHERS) !== 0)
    problems.push(`${path} can be changed by others; run: chmod 600 ${path}`);
  const folder = dirname(path);
  const { mode } = await stat(folder);
  if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0)
    problems.push(
      `${folder} can be changed by everybody, and with it ${path}; run: chmod o-w ${folder}`,
    );
  return problems;
}
