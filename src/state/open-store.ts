import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Logger } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { accessOf, describeExposure } from '../core/files/index.js';
import { missingPackage } from '../packages/index.js';
import { MemoryStore } from './memory/memory.store.js';
import { SqliteStore } from './sqlite/sqlite.store.js';
import type { StateStore } from './state-store.js';

const logger = new Logger('StateStore');
const DATABASE_FILES = ['', '-wal', '-shm', '-counters', '-counters-wal', '-counters-shm'];

/** Options of {@link openStore}. */
export interface StoreOptions {
  /**
   * What happens with database files that everybody can read, or others can change. `warn`: they are named in the log;
   * `refuse`: the store is not opened; `allow`: they are not checked. Default `warn`.
   */
  exposedFiles?: 'warn' | 'refuse' | 'allow';
}

/**
 * Opens the state store that a URL names: `sqlite:<file>` (relative to the working directory), `redis://…`,
 * `redis+sentinel://…`, `redis+cluster://…`, the same with `rediss` for TLS, `postgres://…` (also `postgresql://…`), or
 * `memory:`.
 *
 * @throws BootError when the store cannot be opened
 */
export async function openStore(
  url: string,
  { exposedFiles = 'warn' }: StoreOptions = {},
): Promise<StateStore> {
  const [, scheme, rest = ''] = /^([\w+]+):(.*)$/s.exec(url) ?? [];
  try {
    switch (scheme) {
      case 'memory':
        return new MemoryStore();
      case 'sqlite':
        if (exposedFiles !== 'allow') checkExposure(rest, exposedFiles);
        return await SqliteStore.open(rest);
      case 'redis':
      case 'rediss':
      case 'redis+sentinel':
      case 'rediss+sentinel':
      case 'redis+cluster':
      case 'rediss+cluster':
        return await openRedis(url);
      case 'postgres':
      case 'postgresql':
        return await openPostgres(url);
      default:
        throw new Error(
          'it is none of sqlite:<file>, redis://…, redis+sentinel://…, redis+cluster://…, the same with rediss, postgres://… and memory:',
        );
    }
  } catch (error) {
    const reason =
      (await missingPackage(error)) ?? (error instanceof Error ? error.message : 'unknown error');
    throw new BootError(`the option url of StateModule cannot be used: ${reason}`);
  }
}

/**
 * Checks who can access the database files. Users of the machine who can write them can undo revocations; those who can
 * read them learn who uses what.
 */
function checkExposure(file: string, policy: 'warn' | 'refuse'): void {
  const named = lstatSync(file, { throwIfNoEntry: false });
  const isLink = named?.isSymbolicLink() === true && existsSync(file);
  // The files lie beside the target of a link, except for those of the counters, which are named after the link itself.
  const place = (suffix: string): string =>
    isLink && !suffix.startsWith('-counters') ? realpathSync(file) : file;
  // Missing files are skipped: a new database gets the mode 600, and the files beside it get the mode of the database.
  const exposures = DATABASE_FILES.flatMap((suffix) => {
    const path = `${place(suffix)}${suffix}`;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    const access = accessOf(stats, statSync(dirname(path)));
    const link = { uid: named?.uid ?? 0, folderMode: statSync(dirname(file)).mode };
    return isLink && suffix === ''
      ? (describeExposure(file, { ...access, link }) ?? [])
      : (describeExposure(path, access) ?? []);
  });
  if (exposures.length === 0) return;
  if (policy === 'refuse') throw new Error(`the file ${exposures.join('; the file ')}`);
  for (const exposure of exposures) logger.warn(`The database file ${exposure}`);
}

/** The Redis client is loaded only where it is used: it consists of 600 modules. */
async function openRedis(url: string): Promise<StateStore> {
  const { RedisStore } = await import('./redis/redis.store.js');
  return RedisStore.open(url);
}

/** The PostgreSQL client is loaded only where it is used: it is an optional package. */
async function openPostgres(url: string): Promise<StateStore> {
  const { PostgresStore } = await import('./postgres/postgres.store.js');
  return PostgresStore.open(url);
}
