import { setTimeout as sleep } from 'node:timers/promises';
import { StateDatabase } from '../../../src/state/sqlite/state-database.js';
import type { PostgresServer } from './postgres.js';
import type { RedisServer } from './redis.js';

// Revocations by the million, written where a store keeps them: by its API they would take hours. Logouts leave as many
// of sessions as of tokens.

const REASON = 'the user logged out';
const SCRIPT_ROWS = 20_000;

/** What is written into a store. */
export interface Filling {
  readonly count: number;
  /** Seconds since 1970 at which the first one expires, and the last one. */
  readonly expires: readonly [first: number, last: number];
}

/** @param file of a store that is there already */
export function fillSqlite(file: string, { count, expires: [first, last] }: Filling): void {
  const { database } = new StateDatabase(file);
  const uuid = (from: string): string =>
    [
      [1, 8],
      [9, 4],
      [13, 4],
      [17, 4],
      [21, 12],
    ]
      .map(([start, length]) => `substr(${from}, ${start}, ${length})`)
      .join(` || '-' || `);
  database.exec(`
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -2000000;
    WITH RECURSIVE entry (n, id, value) AS (
      SELECT 1, lower(hex(randomblob(16))), lower(hex(randomblob(21)))
      UNION ALL SELECT n + 1, lower(hex(randomblob(16))), lower(hex(randomblob(21))) FROM entry WHERE n < ${count}
    )
    INSERT INTO revocation (id, kind, value, reason, created_at, expires_at)
      SELECT ${uuid('id')}, iif(n % 2, 'sid', 'jti'),
        iif(n % 2, ${uuid('value')}, 'sha256:' || value || '0'),
        '${REASON}', unixepoch(), ${first} + ${last - first} * (n - 1) / ${count} FROM entry;
    PRAGMA wal_checkpoint(TRUNCATE);`);
  database.close();
}

const FILL_REDIS = `
local key = 'signet:{state}:'
local function uuid(hex)
  return table.concat({ hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17, 20), hex:sub(21, 32) }, '-')
end
local version = tonumber(redis.call('GET', key .. 'version') or 0)
local time = redis.call('TIME')
for n = 1, ARGV[1] do
  version = version + 1
  local id, value = uuid(redis.sha1hex('id' .. version)), redis.sha1hex('value' .. version)
  local kind = version % 2 == 0 and 'sid' or 'jti'
  local expires = math.floor(ARGV[2] + ARGV[3] * n)
  -- The digest of another name: nobody asks for it.
  local name = value .. 'xyz'
  value = kind == 'sid' and uuid(value) or 'sha256:' .. value .. 'ab0'
  redis.call('HSET', key .. 'entries', id, string.format(
    '{"before":null,"id":"%s","kind":"%s","value":"%s","reason":"${REASON}","createdAt":%s,"expiresAt":%d,"name":"%s"}',
    id, kind, value, time[1], expires, name))
  redis.call('ZADD', key .. 'log', version, id)
  redis.call('HSET', key .. 'stamps', version % 4096, version .. ' ' .. id)
  redis.call('HSET', key .. 'named:' .. name, id, ';' .. expires)
  redis.call('ZADD', key .. 'expiry', expires, id)
end
redis.call('SET', key .. 'version', version)`;

/** @param server with `--appendonly yes`; its file is then as it is after a rewrite */
export async function fillRedis(
  server: RedisServer,
  { count, expires: [first, last] }: Filling,
): Promise<void> {
  const step = (last - first) / count;
  await server.command('CONFIG', 'SET', 'appendonly', 'no');
  for (let done = 0; done < count; done += SCRIPT_ROWS) {
    const rows = Math.min(SCRIPT_ROWS, count - done);
    const args = [rows, first + step * done, step].map(String);
    await server.command('EVAL', FILL_REDIS, '0', ...args);
  }
  await server.command('CONFIG', 'SET', 'appendonly', 'yes');
  const busy = async (): Promise<boolean> =>
    /aof_rewrite_(in_progress|scheduled):1/.test(String(await server.command('INFO')));
  while (await busy()) await sleep(100);
}

/** @param server with the tables of a store */
export async function fillPostgres(
  server: PostgresServer,
  { count, expires: [first, last] }: Filling,
): Promise<void> {
  await server.sql(`
    INSERT INTO signet.revocation (version, id, kind, value, reason, created_at, expires_at)
      SELECT state.version + n, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'sid' ELSE 'jti' END,
        CASE WHEN n % 2 = 0 THEN gen_random_uuid()::text
          ELSE 'sha256:' || md5(n::text) || substr(md5((-n)::text), 1, 10) || '0' END,
        '${REASON}', extract(epoch FROM now()), ${first} + ${last - first}::float8 * (n - 1) / ${count}
      FROM signet.state, generate_series(1, ${count}::bigint) AS n;
    UPDATE signet.state SET version = version + ${count}`);
  // As autovacuum does.
  await server.sql('VACUUM ANALYZE signet.revocation');
  await server.sql('CHECKPOINT');
}
