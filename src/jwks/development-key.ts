import { existsSync } from 'node:fs';
import { BootError } from '../core/errors/index.js';
import { createFile, FileError } from '../core/files/index.js';
import type { JwsAlgorithm } from '../core/jws/index.js';
import { generateJwk } from '../core/keys/index.js';

/**
 * Writes a JWK Set with one fresh key, mode 0600, so that a first start needs no preparation.
 * Never called in production.
 *
 * @returns false when the file exists already; it is not changed then
 * @throws BootError when it cannot be written
 */
export async function createDevelopmentKey(
  path: string,
  alg: JwsAlgorithm,
  kid: string,
): Promise<boolean> {
  if (existsSync(path)) return false;
  const { kty, ...rest } = generateJwk(alg);
  const text = JSON.stringify({ keys: [{ kty, kid, alg, use: 'sig', ...rest }] }, null, 2);
  try {
    await createFile(path, `${text}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Another process that starts at the same time was faster.
    if (error.code === 'EEXIST') return false;
    throw new BootError(`JWK ${error.message}`);
  }
}
