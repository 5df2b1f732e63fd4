import { realpath } from 'node:fs/promises';
import { parseClients, type Client, type ClientRegistration } from '../../core/clients/index.js';
import { FileError, replaceFile } from '../../core/files/index.js';
import { parseJsonExactly } from '../../core/json/index.js';
import { CommandError } from '../command.error.js';
import type { Files } from '../files.js';

/** A file of clients, read and written by the gateway's rules. */
export class ClientFile {
  /** @param name as it was typed */
  constructor(
    readonly name: string,
    private readonly files: Files,
  ) {}

  /** @throws FileError when it cannot be read, ClientsError when the gateway would refuse it */
  async read(): Promise<readonly Client[]> {
    const { text } = await this.files.read(this.name);
    return [...parseClients(text, this.name).values()];
  }

  /**
   * Adds a client; the file is made (mode 0600) where there is none.
   *
   * @throws as {@link change}; CommandError for an id that is taken
   */
  async add(registration: ClientRegistration): Promise<void> {
    try {
      await this.change((clients) => {
        if (clients.some((other) => other.client_id === registration.client_id))
          throw new CommandError(`client '${registration.client_id}' is in ${this.name} already`);
        return [...clients, registration];
      });
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ENOENT') throw error;
      await this.files.create(this.name, this.toText([registration]));
    }
  }

  /**
   * Changes the clients of the file: one command at a time, as a whole or not at all.
   *
   * @throws as {@link read}, and ClientsError, before anything is written, when the gateway would refuse
   * the result
   */
  change(
    change: (clients: readonly ClientRegistration[]) => readonly ClientRegistration[],
  ): Promise<void> {
    return this.files.named(this.name, async (path) => {
      // A symbolic link stays one: what it leads to is replaced.
      const target = await realpath(path).catch(({ code }: NodeJS.ErrnoException) => {
        throw new FileError(path, `cannot be read (${code})`, code);
      });
      await this.files.locked(target, async () => {
        const { text } = await this.files.read(this.name);
        parseClients(text, this.name);
        const { clients } = parseJsonExactly(text.replace(/^\uFEFF/, '')) as {
          clients: ClientRegistration[];
        };
        await replaceFile(target, this.toText(change(clients)), text);
      });
    });
  }

  private toText(clients: readonly ClientRegistration[]): string {
    const text = `${JSON.stringify({ clients }, null, 2)}\n`;
    parseClients(text, this.name);
    return text;
  }
}
