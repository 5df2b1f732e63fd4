import { FileError } from '../../../core/files/index.js';
import { importJwk, KeyError, type ImportedKey, type KeyState } from '../../../core/keys/index.js';
import { CommandError } from '../../command.error.js';
import { withLifecycle } from '../material/new-key.js';
import type { Jwk, KeyFileContents, KeyFiles } from './key-files.js';
import { shareAlgorithm } from './select-keys.js';

/** Where a new key is written. */
export interface Destination {
  readonly file: string;
  readonly add?: boolean;
  readonly state?: KeyState;
}

/**
 * Writes a key to a new file or, with `add`, to an existing one.
 *
 * @throws KeyError when the gateway would refuse the key, CommandError when it conflicts with the file, FileError when
 * the file cannot be read or written
 */
export async function addKey(
  jwk: Jwk,
  { file, add = false, state }: Destination,
  keyFiles: KeyFiles,
): Promise<void> {
  const key = importJwk(jwk);
  if (typeof key === 'string') throw new KeyError(key);
  const inState = (name?: KeyState): Jwk =>
    name === undefined ? jwk : withLifecycle(jwk, { state: name });
  if (add)
    return keyFiles.change(file, (contents) => {
      const chosen = state ?? defaultState(key, contents);
      assertFits(key, chosen, contents);
      return [...contents.jwks, inState(chosen)];
    });
  return keyFiles.create(file, [inState(state)]).catch((error: unknown) => {
    if (error instanceof FileError && error.code === 'EEXIST')
      throw new CommandError(`${error.message}; --add adds a key to it`);
    throw error;
  });
}

/**
 * Returns the state for `--add` without `--state`. In a set with states, a key without a state would compete with the
 * active key.
 */
function defaultState({ key }: ImportedKey, { set }: KeyFileContents): KeyState | undefined {
  if (set.entries().every(({ lifecycle }) => lifecycle === undefined)) return undefined;
  return key.signing === undefined ? 'verifying' : 'pending';
}

function assertFits(
  { key }: ImportedKey,
  state: KeyState | undefined,
  { set, name }: KeyFileContents,
): void {
  if (set.get(key.kid) !== undefined || set.skipped.some(({ kid }) => kid === key.kid))
    throw new CommandError(
      `kid '${key.kid}' is in ${name} already; every key needs its own (--kid)`,
    );
  if (state !== 'active' || key.signing === undefined) return;
  const active = set
    .entries()
    .find((other) => other.lifecycle?.state === 'active' && shareAlgorithm(other.key, key));
  if (active !== undefined)
    throw new CommandError(
      `kid '${active.key.kid}' is active already; add the key as pending, then: signet keys rotate`,
    );
}
