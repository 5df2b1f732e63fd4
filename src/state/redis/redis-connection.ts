import { createClient } from 'redis';
import { StateUnavailableException } from '../state-unavailable.exception.js';
import type { Script } from './scripts.js';

const CONNECT_MS = 2000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;
/** Commands that wait for an answer; more of them mean that there will be none. */
const MAX_PENDING = 10_000;
/** A connection on which nothing has come for so long is given up, whatever TCP thinks of it. */
const STUCK_MS = 10_000;

type Client = ReturnType<typeof connectTo>;
type Argument = string | number;

/**
 * One connection to Redis, made anew whenever it is lost. Nothing is queued while there is none,
 * and nothing is waited for longer than the caller says.
 */
export class RedisConnection {
  /** Kind and place, without credentials. */
  readonly description: string;
  private client: Client;
  private booted = false;
  private closed = false;
  private heardAt = performance.now();
  /** Identifies the server's process; another one may have other data. */
  private run: string | undefined;

  private constructor(private readonly url: string) {
    const { protocol, host, pathname } = new URL(url);
    this.description = `${protocol}//${host}${pathname}`;
    this.client = this.connect();
  }

  /** @throws Error whose message says why the server cannot be used, without credentials */
  static async open(url: string): Promise<RedisConnection> {
    const connection = new RedisConnection(url);
    try {
      await connection.within(connection.client.connect(), CONNECT_MS);
      connection.assertSuitable(await connection.within(connection.client.info(), CONNECT_MS));
      connection.booted = true;
      return connection;
    } catch (error) {
      connection.close();
      throw new Error(`${connection.description}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Names the process of the server; `undefined` while there is no connection. */
  get runId(): string | undefined {
    return this.client.isReady ? this.run : undefined;
  }

  /**
   * Runs a script.
   *
   * @throws StateUnavailableException when there is no answer in time; the script may have run all the same
   */
  async evaluate<Reply>(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    timeoutMs: number,
  ): Promise<Reply> {
    this.renewWhenStuck();
    const { client } = this;
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    const answer = async (): Promise<unknown> => {
      try {
        return await client.sendCommand(['EVALSHA', script.sha, ...rest]);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return client.sendCommand(['EVAL', script.source, ...rest]);
      }
    };
    try {
      const reply = await this.within(answer(), timeoutMs);
      this.heardAt = performance.now();
      return reply as Reply;
    } catch (error) {
      throw new StateUnavailableException(`${this.description}: ${reasonOf(error)}`);
    }
  }

  close(): void {
    this.closed = true;
    if (this.client.isOpen) this.client.destroy();
  }

  private connect(): Client {
    const client = connectTo(this.url, (retries) =>
      this.booted && !this.closed
        ? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries) * (0.5 + Math.random() / 2)
        : false,
    );
    // Whoever asks for something is told.
    client.on('error', () => undefined);
    client.on('ready', () => {
      this.run = undefined;
      void this.identify(client);
    });
    return client;
  }

  private async identify(client: Client): Promise<void> {
    try {
      this.run = field(await client.info('server'), 'run_id');
      this.heardAt = performance.now();
    } catch {
      // The connection is lost again; the next one will be asked.
    }
  }

  private renewWhenStuck(): void {
    const now = performance.now();
    if (this.closed || now - this.heardAt < STUCK_MS) return;
    this.heardAt = now;
    if (this.client.isOpen) this.client.destroy();
    this.client = this.connect();
    this.client.connect().catch(() => undefined);
  }

  private assertSuitable(info: string): void {
    const version = field(info, 'redis_version') ?? '';
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 6 || (major === 6 && minor < 2))
      throw new Error(`Redis 6.2 or newer is needed, this is ${version}`);
    const policy = field(info, 'maxmemory_policy');
    if (Number(field(info, 'maxmemory') ?? 0) > 0 && policy !== 'noeviction')
      throw new Error(
        `maxmemory-policy ${policy} would drop revocations when memory is short; set it to noeviction`,
      );
    this.run = field(info, 'run_id');
  }

  private async within<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function connectTo(url: string, reconnectStrategy: (retries: number) => number | false) {
  return createClient({
    url,
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy },
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_PENDING,
    maintNotifications: 'disabled',
    disableClientInfo: true,
    name: 'signet',
  });
}

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/** What the server or the network says of a failure; neither repeats a password. */
const reasonOf = (error: unknown): string =>
  error instanceof AggregateError
    ? (error.errors.map(reasonOf)[0] ?? 'cannot be reached')
    : error instanceof Error && error.message !== ''
      ? error.message
      : 'cannot be reached';
