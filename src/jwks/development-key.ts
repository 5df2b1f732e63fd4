import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { JwsAlgorithm } from '../core/jws/index.js';
import { generateJwk } from '../core/keys/index.js';

/**
 * Writes a JWK Set with one fresh key, mode 0600, so that a first start needs no preparation.
 * Never called in production.
 *
 * @returns false when the file is there already, which leaves it as it is
 */
export async function createDevelopmentKey(
  path: string,
  alg: JwsAlgorithm,
  kid: string,
): Promise<boolean> {
  if (existsSync(path)) return false;
  const { kty, ...rest } = await generateJwk(alg);
  const text = JSON.stringify({ keys: [{ kty, kid, alg, use: 'sig', ...rest }] }, null, 2);
  mkdirSync(dirname(path), { recursive: true });
  // Of several processes that start at the same time one wins, and none reads half a file.
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${text}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary);
  }
}
