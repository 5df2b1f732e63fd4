import {
  describeExposure,
  FileError,
  readTextFile,
  type FileContents,
} from '../core/files/index.js';
import {
  decryptKeys,
  isEncrypted,
  KeyError,
  type KeyDocument,
  type KeyProvider,
} from '../core/keys/index.js';
import { watchFile } from './watch-file.js';

/** How a {@link KeyFile} is opened and watched. */
export interface KeyFileOptions {
  /** Opens an encrypted file. */
  passphrase?: string;
  /** Milliseconds between two reads of the contents; 0 turns watching off. */
  reloadIntervalMs: number;
}

/** A JWK file, plain or encrypted; its path is relative to the working directory. */
export class KeyFile implements KeyProvider {
  readonly remote = false;
  readonly publicOnly = false;
  /** The text that was read last. */
  private text = '';

  constructor(
    readonly source: string,
    private readonly options: KeyFileOptions,
  ) {}

  async read(): Promise<KeyDocument> {
    const { text, ...access } = await this.load();
    if (isEncrypted(text)) return { text: await this.decrypt(text) };
    return { text, exposure: describeExposure(this.source, access) };
  }

  watch(changed: () => void): () => void {
    const { reloadIntervalMs } = this.options;
    return reloadIntervalMs === 0
      ? () => undefined
      : watchFile(this.source, reloadIntervalMs, changed, this.text);
  }

  private async load(): Promise<FileContents> {
    try {
      const contents = await readTextFile(this.source);
      this.text = contents.text;
      return contents;
    } catch (error) {
      throw error instanceof FileError ? new KeyError(error.message) : error;
    }
  }

  private decrypt(text: string): Promise<string> {
    const { passphrase } = this.options;
    if (passphrase === undefined)
      throw new KeyError(`${this.source}: is encrypted; set the option passphrase of JwksModule`);
    return decryptKeys(text, passphrase, this.source);
  }
}
