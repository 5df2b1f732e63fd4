import { realpath } from 'node:fs/promises';
import { parseClients, type Client, type ClientRegistration } from '../../core/clients/index.js';
import { FileError, replaceFile } from '../../core/files/index.js';
import { parseJsonExactly } from '../../core/json/index.js';
import { CommandError } from '../command.error.js';
import type { Files } from '../files.js';

/** A file of registered clients. It is read and written by the same rules as in the gateway. */
export class ClientFile {
  /** @param name path of the file, as it was typed */
  constructor(
    readonly name: string,
    private readonly files: Files,
  ) {}

  /** @throws FileError when the file cannot be read, ClientsError when the gateway would refuse it */
  async read(): Promise<readonly Client[]> {
    const { text } = await this.files.read(this.name);
    return [...parseClients(text, this.name).values()];
  }

  /**
   * Adds a client. Creates the file (mode 0600) if it does not exist.
   *
   * @throws like {@link change}; CommandError when the id is already registered
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
   * Changes the clients of the file atomically, by one command at a time.
   *
   * @throws like {@link read}; also ClientsError, before anything is written, when the gateway would refuse the result
   */
  change(
    change: (clients: readonly ClientRegistration[]) => readonly ClientRegistration[],
  ): Promise<void> {
    return this.files.named(this.name, async (path) => {
      // A symbolic link is kept: its target is replaced.
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
