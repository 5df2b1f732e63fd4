import { within } from '../deadline.js';
import { readFile } from 'node:fs/promises';
import { createClient } from 'redis';
import { assertReadable, SCHEMA } from '../schema.js';
import { SCHEMA_KEY } from './keys.js';
import type { Credentials, Host, RedisTarget } from './redis-url.js';
import { conditionOf } from './replies.js';
import { OPEN, type Script } from './scripts.js';

/** Longest time to connect, with TLS, password and the checks of {@link RedisSession.open}, in milliseconds. */
const OPEN_MS = 2000;
/** The client's own connect timeout, in milliseconds. Longer, as it counts time in which this process is held up. */
const LONGEST_OPEN_MS = 10_000;
/** Longest time until a retired session is closed, in milliseconds; no call waits longer for an answer. */
const RETIRE_MS = 3000;
/** Most commands that may wait for an answer; further ones fail at once, as the server seems not to answer. */
const MAX_PENDING = 10_000;

/** A client that speaks RESP2, as all versions of Redis and Sentinel do. */
type Client = ReturnType<typeof clientFor>;

/**
 * One connection to one server, from its checks to its end. It does not reconnect: its owner opens another
 * session.
 */
export class RedisSession {
  /** True for a replica, which answers only reads. */
  replica = false;
  /** Why the server takes no writes, as far as it has said; `undefined` while it takes them. */
  readOnly: string | undefined;
  /** The `run_id` of the server process; `undefined` if the user may not run INFO. */
  process: string | undefined;
  /** True once the session is closed or lost; no command can be sent any more. */
  ended = false;
  private pending = 0;
  private retired = false;
  /** By `performance.now()`: time of the last reply or, if that is later, of the first command that waits. */
  private silentSince = 0;

  private constructor(
    private readonly client: Client,
    private readonly aborting: AbortController,
  ) {}

  /**
   * Connects and checks what may have changed since the last connection: role, version, eviction policy, schema.
   *
   * @param lost called once, if an open session ends without {@link close}
   * @throws Error when the server cannot be used
   */
  static async open(target: RedisTarget, host: Host, lost: () => void): Promise<RedisSession> {
    const { client, aborting } = await connectable(target, host, target.credentials);
    const session = new RedisSession(client, aborting);
    try {
      await within(OPEN_MS, session.greet());
    } catch (error) {
      session.close();
      // Not for a replica that loads its primary's data: the primary goes on serving meanwhile.
      if (!session.replica && isLoading(error)) throw new LoadingError(reasonOf(error));
      throw error;
    }
    client.on('error', () => {
      if (session.ended) return;
      session.close();
      lost();
    });
    return session;
  }

  /** Runs a script; has no timeout of its own. */
  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(['EVALSHA', script.sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.send(['EVAL', script.source, ...rest]);
    }
  }

  /** Milliseconds for which commands have been waiting without any answer; 0 if none waits. */
  get silentMs(): number {
    return this.pending === 0 ? 0 : performance.now() - this.silentSince;
  }

  /** Closes the session, which was replaced, once all commands are answered, or after {@link RETIRE_MS}. */
  retire(): void {
    this.retired = true;
    if (this.pending === 0) this.close();
    else setTimeout(() => this.close(), RETIRE_MS).unref();
  }

  close(): void {
    this.ended = true;
    this.client.destroy();
    // Ends a connection attempt that is still under way.
    this.aborting.abort();
  }

  private async send(command: readonly string[]): Promise<unknown> {
    if (this.pending++ === 0) this.silentSince = performance.now();
    try {
      return await this.client.sendCommand(command);
    } finally {
      this.pending--;
      this.silentSince = performance.now();
      if (this.retired && this.pending === 0) this.close();
    }
  }

  private async greet(): Promise<void> {
    const { client } = this;
    await client.connect();
    // HELLO is allowed for every user, unlike ROLE and INFO.
    const hello = pairs(await client.sendCommand(['HELLO', '2']));
    if (hello.get('mode') === 'sentinel')
      throw new Error('a Sentinel answers; write redis+sentinel://host:port/name-of-the-primary');
    const version = String(hello.get('version'));
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 6 || (major === 6 && minor < 2))
      throw new Error(`Redis 6.2 or newer is needed, this is ${version}`);
    this.replica = hello.get('role') !== 'master';
    if (this.replica) this.readOnly = 'it is a replica';
    this.readInfo(await this.info());
    await this.checkSchema();
  }

  /** @returns the reply to INFO; `undefined` if the user may not run it */
  private async info(): Promise<string | undefined> {
    try {
      return (await this.client.sendCommand(['INFO'])) as unknown as string;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOPERM')) return undefined;
      throw error;
    }
  }

  private readInfo(info: string | undefined): void {
    if (info === undefined) return;
    const policy = field(info, 'maxmemory_policy');
    if (Number(field(info, 'maxmemory') ?? 0) > 0 && policy !== 'noeviction')
      throw new Error(
        `maxmemory-policy ${policy} would drop revocations when memory is short; set it to noeviction`,
      );
    this.process = field(info, 'run_id');
  }

  private async checkSchema(): Promise<void> {
    try {
      assertReadable(await this.run(OPEN, [SCHEMA_KEY], [String(SCHEMA)]));
    } catch (error) {
      const condition = error instanceof Error ? conditionOf(error.message) : undefined;
      if (condition === undefined || condition === 'elsewhere') throw error;
      // The schema number would have to be written, but the server takes no writes at present.
      this.readOnly ??= reasonOf(error);
    }
  }
}

/** The server that takes writes was restarted and is still loading its data. */
export class LoadingError extends Error {}

const isLoading = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('LOADING ');

/**
 * Sends one command to a server and closes the connection.
 *
 * @throws Error with the server's error reply, or when there is no reply within `ms` milliseconds
 */
export async function askOnce(
  target: RedisTarget,
  host: Host,
  credentials: Credentials,
  command: readonly string[],
  ms: number,
): Promise<unknown> {
  const { client, aborting } = await connectable({ ...target, database: 0 }, host, credentials);
  try {
    return await within(
      ms,
      client.connect().then(() => client.sendCommand(command)),
    );
  } finally {
    client.destroy();
    aborting.abort();
  }
}

/** Returns the message of the server or the network about a failure; neither repeats a password. */
export const reasonOf = (error: unknown): string =>
  error instanceof AggregateError
    ? (error.errors.map(reasonOf)[0] ?? 'cannot be reached')
    : error instanceof Error && error.message !== ''
      ? error.message
      : 'cannot be reached';

/** Returns a client that is not connected yet. The TLS files are read each time, as certificates are renewed. */
async function connectable(target: RedisTarget, host: Host, credentials: Credentials) {
  const aborting = new AbortController();
  const client = clientFor(target, host, credentials, await tlsOf(target), aborting.signal);
  // Commands reject by themselves; an 'error' event without a listener would end the process.
  client.on('error', () => undefined);
  return { client, aborting };
}

async function tlsOf({ tls }: RedisTarget) {
  if (tls === undefined) return undefined;
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(readOptional));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(tls.name === undefined ? {} : { servername: tls.name }),
  };
}

const readOptional = async (file: string | undefined): Promise<Buffer | undefined> =>
  file === undefined ? undefined : readFile(file);

function clientFor(
  { database }: RedisTarget,
  { host, port }: Host,
  { username, password }: Credentials,
  tls: Awaited<ReturnType<typeof tlsOf>>,
  signal: AbortSignal,
) {
  const connectTimeout = LONGEST_OPEN_MS;
  const socket = { host, port, signal, connectTimeout, reconnectStrategy: false } as const;
  return createClient({
    RESP: 2,
    socket: tls === undefined ? socket : { ...socket, tls: true, ...tls },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_PENDING,
    maintNotifications: 'disabled',
    disableClientInfo: true,
  });
}

/** Reads a map of RESP2, which is an array of names and values in turn. */
function pairs(reply: unknown): Map<string, unknown> {
  const list = Array.isArray(reply) ? (reply as unknown[]) : [];
  const map = new Map<string, unknown>();
  for (let index = 0; index + 1 < list.length; index += 2)
    map.set(String(list[index]), list[index + 1]);
  return map;
}

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
