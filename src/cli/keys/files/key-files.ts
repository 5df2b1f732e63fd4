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

/** A JWK as it stands in the file, with members that nobody here knows. */
export type Jwk = Readonly<Record<string, unknown>>;

/** A key file, opened and checked by the gateway's rules. */
export interface KeyFileContents {
  /** The file, as it was typed. */
  readonly name: string;
  readonly set: KeySet;
  readonly jwks: readonly Jwk[];
  /** What the JWK Set holds beside its keys. */
  readonly members: Jwk;
  /** The file is a JWE. */
  readonly encrypted: boolean;
}

/** The JSON of a key file; not checked yet. */
export interface KeyFileText {
  /** Decrypted. */
  readonly text: string;
  readonly encrypted: boolean;
  /** How others can get at the secrets in it; `undefined` when they cannot. */
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
   * @throws FileError when it cannot be read, CommandError when it is encrypted and there is no
   * passphrase, KeyError when that is the wrong one
   */
  async read(name: string): Promise<KeyFileText> {
    return this.decrypt(name, await this.files.read(name));
  }

  /** Opens a key file. @throws as {@link read}, and KeyError when the gateway would refuse it */
  async open(name: string): Promise<KeyFileContents> {
    return parse(name, await this.read(name));
  }

  /** Writes a new key file. @throws FileError with `EEXIST` when there is one, KeyError for a bad key */
  async create(name: string, jwks: readonly Jwk[]): Promise<void> {
    const text = toText(jwks);
    KeySet.parse(text, name);
    await this.files.create(name, text);
  }

  /**
   * Changes the keys of a file: one command at a time, as a whole or not at all, and encrypted again
   * if the file is. A single JWK becomes a set.
   *
   * @param change gives the new keys, or `undefined` to leave the file alone
   * @throws as {@link open}, and KeyError, before anything is written, when the gateway would refuse
   * the result
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
   * Replaces the text of a key file while no other command can.
   *
   * @param rewrite gives the new text, or `undefined` to leave the file alone
   * @throws as {@link open}
   */
  rewrite(
    name: string,
    rewrite: (contents: KeyFileContents) => Promise<string | undefined>,
  ): Promise<void> {
    return this.files.named(name, async (path) => {
      // A symbolic link stays one: what it leads to is replaced.
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
