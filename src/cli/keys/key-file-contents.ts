import { readFile, realpath } from 'node:fs/promises';
import { isJsonObject, parseJsonExactly } from '../../core/json/index.js';
import { CommandError } from '../command.error.js';
import { passphrase } from '../environment.js';
import { createFile, replaceFile } from './atomic-file.js';
import { withLock } from './file-lock.js';
import { encryptKeys, isEncrypted, KeyFile, KeySet } from './gateway-keys.js';

/** A JWK as it stands in the file, with members that nobody here knows. */
export type Jwk = Readonly<Record<string, unknown>>;

/** A key file, opened and checked by the gateway's rules. */
export interface KeyDocument {
  readonly path: string;
  readonly set: KeySet;
  readonly jwks: readonly Jwk[];
  /** What the JWK Set holds beside its keys. */
  readonly members: Jwk;
}

/** The JSON of a key file, decrypted; not checked yet. @throws KeyError */
export const readKeyText = (path: string): ReturnType<KeyFile['read']> =>
  new KeyFile(path, { passphrase: passphrase(), reloadIntervalMs: 0 }).read();

/** Opens a key file, plain or encrypted. @throws KeyError when the gateway would refuse it */
export async function openKeys(path: string): Promise<KeyDocument> {
  const { text } = await readKeyText(path);
  const set = KeySet.parse(text, path);
  return { path, set, ...splitSet(parseJsonExactly(text)) };
}

/**
 * Changes the keys of a file: one command at a time, as a whole or not at all, and encrypted again if
 * the file is. A single JWK becomes a set.
 *
 * @param change gives the new keys, or `undefined` to leave the file alone
 * @throws KeyError, and nothing is written, when the gateway would refuse the result
 */
export const changeKeys = (
  path: string,
  change: (document: KeyDocument) => Promise<readonly Jwk[] | undefined>,
): Promise<void> =>
  rewriteKeys(path, async (document, encrypted) => {
    const jwks = await change(document);
    if (jwks === undefined) return undefined;
    const text = toText(jwks, document.members);
    KeySet.parse(text, path);
    const secret = encrypted ? passphrase() : undefined;
    return secret === undefined ? text : encryptKeys(text, secret);
  });

/** Replaces the contents of a key file while no other command can; `undefined` leaves it alone. */
export async function rewriteKeys(
  path: string,
  rewrite: (document: KeyDocument, encrypted: boolean) => Promise<string | undefined>,
): Promise<void> {
  const unreadable = (error: NodeJS.ErrnoException): never => {
    throw new CommandError(`${path}: cannot be read (${error.code})`);
  };
  // A symbolic link stays one: what it leads to is replaced.
  const target = await realpath(path).catch(unreadable);
  await withLock(target, async () => {
    const before = await readFile(target, 'utf8').catch(unreadable);
    const text = await rewrite(await openKeys(path), isEncrypted(before));
    if (text !== undefined) await replaceFile(target, text, before);
  });
}

/** Writes a new key file. @throws CommandError when there is one, KeyError for a bad key */
export async function createKeys(path: string, jwks: readonly Jwk[]): Promise<void> {
  const text = toText(jwks);
  KeySet.parse(text, path);
  await createFile(path, text);
}

/** The JWK Set as it is written. */
export const toText = (jwks: readonly Jwk[], members: Jwk = {}): string =>
  `${JSON.stringify({ ...members, keys: jwks }, null, 2)}\n`;

/** The keys of a JWK Set, or the one of a single JWK. */
export function splitSet(value: unknown): { jwks: Jwk[]; members: Jwk } {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'keys'))
    return { jwks: [value as Jwk], members: {} };
  const { keys, ...members } = value;
  return { jwks: keys as Jwk[], members };
}
