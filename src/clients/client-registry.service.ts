import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { checkClients, ClientsError, parseClients, type Client } from '../core/clients/index.js';
import { BootError } from '../core/errors/index.js';
import { describeExposure, FileError, readTextFile } from '../core/files/index.js';
import { KeyError, RELOAD_INTERVAL_MS, type KeySource } from '../core/keys/index.js';
import { JwkKeyStore, watchFile } from '../jwks/index.js';
import type { ClientsModuleOptions } from './clients.module-definition.js';

type Clients = ReadonlyMap<string, Client>;

/** The key set of a client, loaded while the client is registered. */
interface KeysInUse {
  readonly source: KeySource;
  /** Ends the use. */
  readonly end: () => void;
}

const RETRY_MS = 1000;

/**
 * The registered clients. The file is reloaded when it changes: a new set of clients is checked as a whole and replaces
 * the old one in one step. An invalid file changes nothing.
 */
@Injectable()
export class ClientRegistry implements OnApplicationShutdown {
  private static readonly logger = new Logger(ClientRegistry.name);

  private clients: Clients = new Map();
  /** Key sets of clients, by their URL. */
  private sources: ReadonlyMap<string, KeysInUse> = new Map();
  /** The file as it was last read. */
  private text = '';
  private looking: Promise<void> = Promise.resolve();
  private problem: string | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly followers: ((clients: readonly Client[]) => void)[] = [];
  private unwatch: (() => void) | undefined;
  private closed = false;

  private constructor(
    private readonly options: ClientsModuleOptions,
    private readonly keys: JwkKeyStore,
  ) {}

  /**
   * Loads and checks the clients.
   *
   * @throws BootError with a line per problem
   */
  static async open(options: ClientsModuleOptions, keys: JwkKeyStore): Promise<ClientRegistry> {
    const registry = new ClientRegistry(options, keys);
    try {
      await registry.take(await registry.load());
    } catch (error) {
      throw isProblem(error) ? new BootError(problemsOf(error)) : error;
    }
    const { path, reloadIntervalMs = RELOAD_INTERVAL_MS } = options;
    if (path !== undefined && reloadIntervalMs > 0)
      registry.unwatch = watchFile(path, reloadIntervalMs, () => registry.look(), registry.text);
    return registry;
  }

  /** The client with this id. */
  get(id: string): Client | undefined {
    return this.clients.get(id);
  }

  /** True where a client can get tokens by `client_credentials` without the login service. */
  grantsItself(): boolean {
    return this.clients
      .values()
      .some(
        ({ claims, grantTypes }) => claims !== undefined && grantTypes.has('client_credentials'),
      );
  }

  /** Calls `changed` with the clients now, and each time they change. */
  follow(changed: (clients: readonly Client[]) => void): void {
    this.followers.push(changed);
    changed([...this.clients.values()]);
  }

  /** Where the keys of a client with a `jwks_uri` come from. */
  keySource({ jwksUri = '' }: Client): KeySource | undefined {
    return this.sources.get(jwksUri)?.source;
  }

  /** Reads the file again, if there is one. The result is logged. */
  reload(): void {
    if (this.options.path !== undefined) this.look();
  }

  onApplicationShutdown(): void {
    this.closed = true;
    this.unwatch?.();
    clearTimeout(this.retry);
  }

  /** Reads the file after the reads that are under way, so that the last read gets the last change. */
  private look(): void {
    clearTimeout(this.retry);
    this.looking = this.looking.then(() => this.lookOnce());
  }

  private async lookOnce(): Promise<void> {
    if (this.closed) return;
    try {
      await this.take(await this.load());
      this.problem = undefined;
      ClientRegistry.logger.log(`${this.options.path}: ${this.clients.size} clients`);
    } catch (error) {
      const problem = isProblem(error) ? problemsOf(error).join('; ') : 'unexpected error';
      if (problem !== this.problem)
        ClientRegistry.logger.error(`${problem}; the last good clients stay in use`);
      this.problem = problem;
      // Permissions may change, which the watcher of the contents does not notice.
      this.retry = setTimeout(() => this.look(), RETRY_MS).unref();
    }
  }

  /** @throws ClientsError, FileError */
  private async load(): Promise<Clients> {
    const { path, clients, exposedFiles = 'warn' } = this.options;
    if (path === undefined) return checkClients(clients, 'the option clients of ClientsModule');
    const { text, ...access } = await readTextFile(path);
    this.text = text;
    const exposure = describeExposure(path, access);
    if (exposure !== undefined && exposedFiles === 'refuse')
      throw new ClientsError([`file ${exposure}`]);
    const parsed = parseClients(text, path);
    if (exposure !== undefined && exposedFiles === 'warn')
      ClientRegistry.logger.warn(`file ${exposure}`);
    return parsed;
  }

  /** @throws KeyError for the URL of a key set that must not be fetched */
  private async take(clients: Clients): Promise<void> {
    const sources = await this.open(clients);
    const gone = [...this.sources].filter(([uri]) => !sources.has(uri));
    this.clients = clients;
    this.sources = sources;
    for (const [, { end }] of gone) end();
    for (const changed of this.followers) changed([...clients.values()]);
  }

  /** The key sets of these clients. Those that are loaded already are kept. */
  private async open(clients: Clients): Promise<ReadonlyMap<string, KeysInUse>> {
    const uris = new Set([...clients.values()].flatMap(({ jwksUri }) => jwksUri ?? []));
    const kept = [...this.sources].filter(([uri]) => uris.has(uri));
    const added = [...uris].filter((uri) => !this.sources.has(uri));
    const results = await Promise.allSettled(added.map((uri) => this.lease(uri)));
    const opened = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return new Map([...kept, ...opened]);
    for (const [, { end }] of opened) end();
    throw failure.reason;
  }

  private async lease(uri: string): Promise<[string, KeysInUse]> {
    const source: KeySource = { url: uri, options: { identifyStrategy: 'kid' } };
    return [uri, { source, end: await this.keys.leaseVerification(source) }];
  }
}

const isProblem = (error: unknown): error is ClientsError | FileError | KeyError =>
  error instanceof ClientsError || error instanceof FileError || error instanceof KeyError;

/** One line per problem, with the part of the configuration. */
const problemsOf = (error: ClientsError | FileError | KeyError): readonly string[] =>
  (error instanceof ClientsError ? error.problems : [error.message]).map(
    (problem) => `Clients: ${problem}`,
  );
