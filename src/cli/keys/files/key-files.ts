import { realpath } from 'node:fs/promises';
import {
  describeExposure,
  FileError,
  replaceFile,
  type FileContents,
} from '../../../core/files/index.js';
import { isJsonObject, parseJsonExactly } from '../../../core/json/index.js';
import { decryptKeys, encryptKeys, isEncrypted, KeySet } from '../../../core/keys/index.js';
import { CommandError } from '../../command.error.js';
import type { Files } from '../../files.js';
import type { Settings } from '../../settings.js';

/** A JWK as in the file, including unknown members. */
export type Jwk = Readonly<Record<string, unknown>>;

/** A key file that was read and checked by the gateway's rules. */
export interface KeyFileContents {
  /** Name of the file, as it was typed. */
  readonly name: string;
  readonly set: KeySet;
  readonly jwks: readonly Jwk[];
  /** Members of the JWK Set other than `keys`. */
  readonly members: Jwk;
  /** True when the file is a JWE. */
  readonly encrypted: boolean;
}

/** The JSON of a key file, which is not checked yet. */
export interface KeyFileText {
  /** The text, decrypted. */
  readonly text: string;
  readonly encrypted: boolean;
  /** How other users can read the secrets in the file; `undefined` when they cannot. */
  readonly exposure?: string;
}

/** Reads and writes key files, plain or encrypted with the passphrase of the settings. */
export class KeyFiles {
  constructor(
    private readonly files: Files,
    private readonly settings: Settings,
  ) {}

  /**
   * Reads a key file as the gateway does.
   *
   * @throws FileError when the file cannot be read, CommandError when it is encrypted and there is no passphrase,
   * KeyError when the passphrase is wrong
   */
  async read(name: string): Promise<KeyFileText> {
    return this.decrypt(name, await this.files.read(name));
  }

  /** Reads and checks a key file. @throws like {@link read}; also KeyError when the gateway would refuse it */
  async open(name: string): Promise<KeyFileContents> {
    return parse(name, await this.read(name));
  }

  /** Writes a new key file. @throws FileError with code `EEXIST` if it exists, KeyError for an invalid key */
  async create(name: string, jwks: readonly Jwk[]): Promise<void> {
    const text = toText(jwks);
    KeySet.parse(text, name);
    await this.files.create(name, text);
  }

  /**
   * Changes the keys of a file atomically, by one command at a time. An encrypted file stays encrypted. A single JWK
   * becomes a set.
   *
   * @param change returns the new keys, or `undefined` to leave the file unchanged
   * @throws like {@link open}; also KeyError, before anything is written, when the gateway would refuse the result
   */
  change(
    name: string,
    change: (
      contents: KeyFileContents,
    ) => readonly Jwk[] | undefined | Promise<readonly Jwk[] | undefined>,
  ): Promise<void> {
    return this.rewrite(name, async (contents) => {
      const jwks = await change(contents);
      if (jwks === undefined) return undefined;
      const text = toText(jwks, contents.members);
      KeySet.parse(text, name);
      const passphrase = contents.encrypted ? this.settings.passphrase() : undefined;
      return passphrase === undefined ? text : encryptKeys(text, passphrase);
    });
  }

  /**
   * Replaces the text of a key file, by one command at a time.
   *
   * @param rewrite returns the new text, or `undefined` to leave the file unchanged
   * @throws like {@link open}
   */
  rewrite(
    name: string,
    rewrite: (contents: KeyFileContents) => Promise<string | undefined>,
  ): Promise<void> {
    return this.files.named(name, async (path) => {
      // A symbolic link is kept: its target is replaced.
      const target = await realpath(path).catch(({ code }: NodeJS.ErrnoException) => {
        throw new FileError(path, `cannot be read (${code})`, code);
      });
      await this.files.locked(target, async () => {
        const before = await this.files.read(name);
        const text = await rewrite(parse(name, await this.decrypt(name, before)));
        if (text !== undefined) await replaceFile(target, text, before.text);
      });
    });
  }

  private async decrypt(name: string, { text, ...access }: FileContents): Promise<KeyFileText> {
    if (!isEncrypted(text))
      return { text, encrypted: false, exposure: describeExposure(name, access) };
    const passphrase = this.settings.passphrase();
    if (passphrase === undefined)
      throw new CommandError(`${name}: is encrypted; set KEY_PASSPHRASE or KEY_PASSPHRASE_FILE`);
    return { text: await decryptKeys(text, passphrase, name), encrypted: true };
  }
}

const parse = (name: string, { text, encrypted }: KeyFileText): KeyFileContents => ({
  name,
  set: KeySet.parse(text, name),
  encrypted,
  ...splitSet(parseJsonExactly(text)),
});

/** Returns the text of a JWK Set for a file. */
export const toText = (jwks: readonly Jwk[], members: Jwk = {}): string =>
  `${JSON.stringify({ ...members, keys: jwks }, null, 2)}\n`;

/** Splits a JWK Set into its keys and its other members. A single JWK counts as a set of one key. */
export function splitSet(value: unknown): { jwks: Jwk[]; members: Jwk } {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'keys'))
    return { jwks: [value as Jwk], members: {} };
  const { keys, ...members } = value;
  return { jwks: keys as Jwk[], members };
}
