import { readFile, stat } from 'node:fs/promises';
import {
  decryptKeys,
  isEncrypted,
  KeyError,
  type KeyDocument,
  type KeyProvider,
} from '../core/keys/index.js';
import { watchFile } from './watch-file.js';

const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Readable by everybody, or writable by anyone but the owner. */
const EXPOSED_MODE = 0o026;

/** How a {@link KeyFile} is opened and watched. */
export interface KeyFileOptions {
  /** Opens an encrypted file. */
  passphrase?: string;
  /** Milliseconds between two looks at the contents; 0 turns watching off. */
  reloadIntervalMs: number;
}

/** A JWK file, plain or encrypted; its path is relative to the working directory. */
export class KeyFile implements KeyProvider {
  readonly remote = false;
  readonly publicOnly = false;

  constructor(
    readonly source: string,
    private readonly options: KeyFileOptions,
  ) {}

  async read(): Promise<KeyDocument> {
    const { text, mode } = await this.load();
    if (isEncrypted(text)) return { text: await this.decrypt(text) };
    const exposed = process.platform !== 'win32' && (mode & EXPOSED_MODE) !== 0;
    return {
      text,
      exposure: exposed
        ? `${this.source} can be read or changed by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${this.source}`
        : undefined,
    };
  }

  watch(changed: () => void): () => void {
    const { reloadIntervalMs } = this.options;
    return reloadIntervalMs === 0
      ? () => undefined
      : watchFile(this.source, reloadIntervalMs, changed);
  }

  private async load(): Promise<{ text: string; mode: number }> {
    try {
      const { size, mode } = await stat(this.source);
      if (size > MAX_FILE_BYTES)
        throw new KeyError(`${this.source}: larger than ${MAX_FILE_BYTES} bytes`);
      return { text: await readFile(this.source, 'utf8'), mode };
    } catch (error) {
      if (error instanceof KeyError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new KeyError(`${this.source}: cannot be read (${code})`);
    }
  }

  private decrypt(text: string): Promise<string> {
    const { passphrase } = this.options;
    if (passphrase === undefined)
      throw new KeyError(`${this.source}: is encrypted; set the option passphrase of JwksModule`);
    return decryptKeys(text, passphrase, this.source);
  }
}
