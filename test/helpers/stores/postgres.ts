import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../run/free-port.js';
import { POSTGRES_FOLDER, POSTGRES_MISSING } from '../run/programs.js';
import { kill, tempFolder, track } from '../run/resources.js';

export { withoutPostgres } from '../run/programs.js';

/** Of the user `postgres`, which all servers of the tests have. */
export const PASSWORD = 's3cret-of-postgres';

/** A PostgreSQL server of the test's own, on a free port, in a directory of its own. */
export interface PostgresServer {
  /** `postgres://postgres:<password>@127.0.0.1:<port>/postgres`. */
  url: string;
  port: number;
  directory: string;
  process(): ChildProcess;
  /** Runs SQL as the superuser. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it has on the disk. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root: then it runs as nobody, and may go through the folders of the tests. */
const AS_NOBODY =
  process.getuid?.() === 0
    ? 'setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps +dac_override --ambient-caps +dac_override'.split(
        ' ',
      )
    : [];
const NOBODY = 65_534;

const program = (name: string, ...args: string[]): [string, string[]] => {
  if (POSTGRES_FOLDER === undefined) throw new Error(POSTGRES_MISSING);
  const [command = '', ...rest] = [...AS_NOBODY, join(POSTGRES_FOLDER, name), ...args];
  return [command, rest];
};

function run(name: string, ...args: string[]): void {
  const { status, stderr, stdout } = spawnSync(...program(name, ...args), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} failed: ${stderr}${stdout}`);
}

function emptyFolder(): string {
  const folder = tempFolder('postgres');
  if (AS_NOBODY.length > 0) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** A fresh cluster; made once per run of the tests, and copied. */
function newCluster(): string {
  const template = join(tmpdir(), 'postgres-template');
  const directory = join(emptyFolder(), 'data');
  const copy = (): void => cpSync(template, directory, { recursive: true });
  try {
    copy();
  } catch {
    const made = mkdtempSync(join(tmpdir(), 'postgres-'));
    writeFileSync(join(made, 'password'), PASSWORD);
    if (AS_NOBODY.length > 0) chownSync(made, NOBODY, NOBODY);
    const data = join(made, 'data');
    const password = `--pwfile=${join(made, 'password')}`;
    const options = ['--no-sync', '--locale=C', '--encoding=UTF8', '--wal-segsize=1'];
    run('initdb', '-D', data, '-U', 'postgres', '-A', 'scram-sha-256', password, ...options);
    try {
      renameSync(data, template);
    } catch {
      // Another test file was first.
    }
    rmSync(made, { recursive: true, force: true });
    copy();
  }
  own(directory);
  return directory;
}

function own(directory: string): void {
  if (AS_NOBODY.length > 0) spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, directory]);
  spawnSync('chmod', ['700', directory]);
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=16MB',
  'max_connections=60',
  'autovacuum=off',
];

/** @param settings further ones, e.g. `fsync=on` where a test is about durability */
export async function startPostgres(...settings: string[]): Promise<PostgresServer> {
  return serve(newCluster(), settings);
}

/** A standby that follows a server. It is promoted by `SELECT pg_promote()`. */
export async function startStandby(
  primary: PostgresServer,
  ...settings: string[]
): Promise<PostgresServer> {
  const directory = join(emptyFolder(), 'data');
  const from = `postgres://postgres:${PASSWORD}@127.0.0.1:${primary.port}/?application_name=standby`;
  run(
    'pg_basebackup',
    '-D',
    directory,
    '-d',
    from,
    '-R',
    '-X',
    'stream',
    '-c',
    'fast',
    '--no-sync',
  );
  return serve(directory, settings);
}

async function serve(directory: string, settings: readonly string[]): Promise<PostgresServer> {
  const port = await freePort();
  const all = [...SETTINGS, 'fsync=off', ...settings];
  const args = ['-D', directory, '-p', String(port), ...all.flatMap((setting) => ['-c', setting])];
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = track(
      spawn(...program('postgres', ...args), { stdio: ['ignore', 'ignore', 'ignore'] }),
    );
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`postgres ended with ${String(code)}`);
    });
    await Promise.race([ended, answers(url)]);
  };
  await start();
  const admin = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  // SIGQUIT: at once, but with its children, and what it holds of the system.
  const stop = (): Promise<void> => kill(child, 'SIGQUIT');
  return {
    url,
    port,
    directory,
    process: () => child,
    sql: admin,
    kill: () => kill(child),
    start,
    stop,
  };
}

/** Stops every process of a server, as a machine that stands still does. */
export async function stopBackends(postgres: PostgresServer): Promise<{ resume(): void }> {
  const rows = await postgres.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
  const pids = [postgres.process().pid ?? 0, ...rows.map(({ pid }) => Number(pid))];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    resume: () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    },
  };
}

/** Resolves once the server takes connections. */
async function answers(url: string): Promise<void> {
  for (;;) {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await pause(30);
    }
  }
}
