import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Client } from 'pg';
import { missingPackage } from '../../packages/index.js';
import { within } from '../deadline.js';
import { sslModeFor, type PostgresHost, type PostgresTarget } from './postgres-url.js';
import type { Statement } from './statements.js';
import { sqlConditionOf } from './sql-states.js';

/** Longest time to connect, with TLS and password, and again for the checks after that; in milliseconds. */
const OPEN_MS = 2000;
/** The client's own connect timeout, in milliseconds. Longer, as it counts time in which this process is held up. */
const LONGEST_OPEN_MS = 10_000;
const OLDEST_VERSION = 130_000;

export type Row = Readonly<Record<string, unknown>>;
export type Value =
  string | number | boolean | Buffer | null | readonly (string | number | Buffer | null)[];

/**
 * One connection to one server, from its checks to its end. It does not reconnect: its owner opens another
 * session.
 */
export class PostgresSession {
  /** True for a standby, which answers only reads. */
  standby = false;
  /** True once the session is closed or lost; no statement can be sent any more. */
  ended = false;
  /** Called once, if the session ends without {@link close}. */
  onLost: () => void = () => undefined;
  onNotification: () => void = () => undefined;

  private constructor(
    private readonly client: Client,
    private readonly socket: Socket,
  ) {}

  /**
   * Connects to the server that takes writes, or to a standby while only standbys are found.
   *
   * @param statementMs milliseconds after which the server cancels a statement
   * @throws Error when none of the servers can be used
   */
  static async open(target: PostgresTarget, statementMs: number): Promise<PostgresSession> {
    const attempts = target.hosts.map((host) => PostgresSession.connect(target, host, statementMs));
    const primaries = attempts.map(async (attempt) => {
      const session = await attempt;
      if (session.standby) throw new Error('it is a standby');
      return session;
    });
    // All servers are tried at once, so that a silent one does not delay the connection to the primary.
    const chosen = await Promise.any(primaries).catch(() => Promise.any(attempts));
    for (const attempt of attempts) void closeUnless(chosen, attempt);
    return chosen;
  }

  /** @throws Error when there is no answer within `ms` milliseconds; the statement may have been done nevertheless */
  async query(statement: Statement, values: readonly Value[], ms: number): Promise<Row[]> {
    const asked = this.client.query<Row>({ ...statement, values: [...values] });
    try {
      const { rows } = await within(ms, asked);
      return rows;
    } catch (error) {
      // Without a severity, it is not the server's error: its answer may still come, and be taken for the next one's.
      if (!(error instanceof Error && 'severity' in error) || sqlConditionOf(error) === 'broken')
        this.end();
      throw error;
    }
  }

  close(): void {
    this.ended = true;
    this.client.end().catch(() => undefined);
    this.socket.destroySoon();
  }

  private static async connect(
    target: PostgresTarget,
    host: PostgresHost,
    statementMs: number,
  ): Promise<PostgresSession> {
    const socket = new Socket();
    const { Client } = await load();
    const client = new Client({
      host: host.host,
      port: host.port,
      database: target.database,
      user: target.user,
      password: target.password,
      ssl: await tlsOf(target, host),
      stream: () => socket,
      keepAlive: true,
      connectionTimeoutMillis: LONGEST_OPEN_MS,
      application_name: 'signet',
    });
    const session = new PostgresSession(client, socket);
    client.on('error', () => session.end());
    client.on('end', () => session.end());
    client.on('notification', () => session.onNotification());
    try {
      await within(OPEN_MS, client.connect());
      await session.greet(statementMs);
    } catch (error) {
      session.close();
      socket.destroy();
      throw error;
    }
    return session;
  }

  private async greet(statementMs: number): Promise<void> {
    // Replaces the user's search path by pg_catalog, so that no other schema can shadow names of the system.
    const text = `SELECT set_config('search_path', 'pg_catalog', false),
      set_config('statement_timeout', '${statementMs}', false),
      set_config('default_transaction_isolation', 'read committed', false),
      current_setting('server_version_num')::int AS version, current_setting('server_version') AS name,
      current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby`;
    const [row] = await this.query({ text }, [], OPEN_MS);
    if (Number(row?.version) < OLDEST_VERSION)
      throw new Error(`PostgreSQL 13 or newer is needed, this is ${String(row?.name)}`);
    if (row?.encoding !== 'UTF8')
      throw new Error(`the database has the encoding ${String(row?.encoding)}; UTF8 is needed`);
    this.standby = row.standby === true;
  }

  private end(): void {
    this.socket.destroy();
    if (this.ended) return;
    this.ended = true;
    this.onLost();
  }
}

async function closeUnless(
  chosen: PostgresSession,
  attempt: Promise<PostgresSession>,
): Promise<void> {
  const session = await attempt.catch(() => chosen);
  if (session !== chosen) session.close();
}

/** Loads the client library, an optional package, when it is needed. */
async function load(): Promise<{ Client: typeof Client }> {
  try {
    const { default: pg } = await import('pg');
    return pg;
  } catch (error) {
    const problem = await missingPackage(error);
    throw problem === undefined ? error : new Error(problem, { cause: error });
  }
}

/** Reads the TLS files each time, as certificates are renewed. */
async function tlsOf(
  target: PostgresTarget,
  host: PostgresHost,
): Promise<ConnectionOptions | false> {
  const mode = sslModeFor(target, host);
  if (mode === 'disable') return false;
  const { sslFiles } = target;
  const [ca, cert, key] = await Promise.all(
    [sslFiles.ca, sslFiles.cert, sslFiles.key].map(async (file) =>
      file === undefined ? undefined : readFile(file),
    ),
  );
  return {
    // Set for an IP address as well, so that the certificate is compared with it.
    host: host.host,
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
  };
}
