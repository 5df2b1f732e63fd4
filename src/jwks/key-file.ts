import { readFileSync, statSync } from 'node:fs';
import { KeySet } from './key-set.js';
import { KeyProblem } from './key-problem.js';

const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Readable by everybody, or writable by anyone but the owner. */
const EXPOSED_MODE = 0o026;

/** A key set read from a file, and whether its permissions protect the secrets in it. */
export interface KeyFile {
  readonly set: KeySet;
  /** What is wrong with the permissions; `undefined` when nothing is, or nothing in it is secret. */
  readonly exposure?: string;
}

/**
 * Reads and checks a JWK file.
 *
 * @param path relative to the working directory
 * @throws KeyProblem in one line, without the contents
 */
export function readKeyFile(path: string): KeyFile {
  let text: string;
  let mode: number;
  try {
    const stat = statSync(path);
    if (stat.size > MAX_FILE_BYTES)
      throw new KeyProblem(`${path}: larger than ${MAX_FILE_BYTES} bytes`);
    mode = stat.mode;
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof KeyProblem) throw error;
    throw new KeyProblem(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const set = KeySet.parse(text, path);
  const holdsSecrets = set.all().some((key) => key.signing !== undefined);
  const exposed = holdsSecrets && process.platform !== 'win32' && (mode & EXPOSED_MODE) !== 0;
  return {
    set,
    exposure: exposed
      ? `${path} can be read or changed by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${path}`
      : undefined,
  };
}
