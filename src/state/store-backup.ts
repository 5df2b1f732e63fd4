import { BootError } from '../core/errors/index.js';
import type { BackupContents } from './sqlite/backup.js';

export type { BackupContents };

/** How the other stores are backed up, for messages. */
const OTHERS: Readonly<Record<string, string>> = {
  redis: 'Redis has a backup of its own: its RDB and AOF files',
  postgres: 'PostgreSQL has backups of its own: pg_basebackup, pg_dump',
  memory: 'memory: keeps nothing',
};

/** @throws BootError for a store other than SQLite */
function fileOf(url: string): string {
  const [, scheme = '', file = ''] = /^(\w+)[^:]*:(.*)$/s.exec(url) ?? [];
  if (scheme === 'sqlite' && file !== '') return file;
  const kind = scheme.replace('rediss', 'redis').replace('postgresql', 'postgres');
  throw new BootError(
    `only SQLite stores are backed up with this; ${OTHERS[kind] ?? 'name one as sqlite:<file>'}`,
  );
}

/**
 * Writes a backup of a SQLite store, as it is at one moment. Gateways can use the store meanwhile.
 *
 * @param url `sqlite:<file>`
 * @param target the file to write; an existing one is replaced
 * @throws BootError when the backup fails
 */
export const backUpStore = (url: string, target: string): Promise<BackupContents> =>
  explained(async () => {
    const file = fileOf(url);
    const { writeBackup } = await import('./sqlite/backup.js');
    return writeBackup(file, target);
  });

/**
 * Adds to a SQLite store those entries of a backup that it lacks. Gateways can use the store meanwhile.
 *
 * @param url `sqlite:<file>`; a missing file is created
 * @throws BootError when this fails
 */
export const restoreStore = (url: string, source: string): Promise<BackupContents> =>
  explained(async () => {
    const file = fileOf(url);
    const { addBackup } = await import('./sqlite/backup.js');
    return addBackup(file, source);
  });

async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BootError) throw error;
    throw new BootError(error instanceof Error ? error.message : 'unexpected error');
  }
}
