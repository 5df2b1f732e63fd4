import { CommandError } from '../command.error.js';
import { importJwk, KeyError, type ImportedKey, type KeyState } from './gateway-keys.js';
import { changeKeys, createKeys, type Jwk, type KeyDocument } from './key-file-contents.js';
import { sharedAlgorithm } from './rotation-group.js';
import { withLifecycle } from './new-key.js';

/** Where a new key goes. */
export interface Destination {
  readonly file: string;
  readonly add?: boolean;
  readonly state?: KeyState;
}

/**
 * Puts a key into a new file, or with `add` into one that exists.
 *
 * @throws KeyError when the gateway would refuse it, CommandError when it would not fit in
 */
export async function addKey(jwk: Jwk, { file, add = false, state }: Destination): Promise<void> {
  const key = importJwk(jwk);
  if (typeof key === 'string') throw new KeyError(key);
  const inState = (name?: KeyState): Jwk =>
    name === undefined ? jwk : withLifecycle(jwk, { state: name });
  if (!add) {
    await createKeys(file, [inState(state)]).catch((error: unknown) => {
      if (error instanceof CommandError && error.message.includes('exists already'))
        throw new CommandError(`${error.message}; --add adds a key to it`);
      throw error;
    });
    return;
  }
  await changeKeys(file, (document) => {
    const chosen = state ?? defaultState(key, document);
    assertFits(key, chosen, document);
    return Promise.resolve([...document.jwks, inState(chosen)]);
  });
}

/** In a set with states a key without one would compete with the active key. */
function defaultState({ key }: ImportedKey, { set }: KeyDocument): KeyState | undefined {
  if (set.entries().every(({ lifecycle }) => lifecycle === undefined)) return undefined;
  return key.signing === undefined ? 'verifying' : 'pending';
}

function assertFits(
  { key }: ImportedKey,
  state: KeyState | undefined,
  { set, path }: KeyDocument,
): void {
  if (set.get(key.kid) !== undefined || set.skipped.some(({ kid }) => kid === key.kid))
    throw new CommandError(
      `kid '${key.kid}' is in ${path} already; every key needs its own (--kid)`,
    );
  if (state !== 'active' || key.signing === undefined) return;
  const rival = set
    .entries()
    .find(
      (other) =>
        other.lifecycle?.state === 'active' && sharedAlgorithm(other.key, key) !== undefined,
    );
  if (rival !== undefined)
    throw new CommandError(
      `kid '${rival.key.kid}' is active already; add the key as pending, then: signet keys rotate`,
    );
}
