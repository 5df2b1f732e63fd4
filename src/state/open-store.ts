import { BootError } from '../core/errors/index.js';
import { MemoryStore } from './memory.store.js';
import { SqliteStore } from './sqlite/sqlite.store.js';
import type { StateStore } from './state-store.js';

/**
 * Opens the state store that a URL names: `sqlite:<file>` (relative to the working directory),
 * `redis://…`, `rediss://…`, `postgres://…` (also `postgresql://…`) or `memory:`.
 *
 * @throws BootError when it cannot be used
 */
export async function openStore(url: string): Promise<StateStore> {
  const [, scheme, rest = ''] = /^(\w+):(.*)$/s.exec(url) ?? [];
  try {
    switch (scheme) {
      case 'memory':
        return new MemoryStore();
      case 'sqlite':
        return await SqliteStore.open(rest);
      case 'redis':
      case 'rediss':
        return await openRedis(url);
      case 'postgres':
      case 'postgresql':
        return await openPostgres(url);
      default:
        throw new Error(
          'it is none of sqlite:<file>, redis://…, rediss://…, postgres://… and memory:',
        );
    }
  } catch (error) {
    throw new BootError(
      `the option url of StateModule cannot be used: ${error instanceof Error ? error.message : 'unknown error'}`,
    );
  }
}

/** Its client is 600 modules, which everybody else need not wait for. */
async function openRedis(url: string): Promise<StateStore> {
  const { RedisStore } = await import('./redis/redis.store.js');
  return RedisStore.open(url);
}

/** Its client is an optional package. */
async function openPostgres(url: string): Promise<StateStore> {
  const { PostgresStore } = await import('./postgres/postgres.store.js');
  return PostgresStore.open(url);
}
