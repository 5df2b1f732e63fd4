// The retry window of a refresh: in four stores, on two nodes where they share it.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Backend } from '../helpers/backends/backend.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startPostgres, withoutPostgres, type PostgresServer } from '../helpers/stores/postgres.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';
import { describeRetries, type Nodes } from '../helpers/sessions/refresh-scenarios.js';
import { tempFolder } from '../helpers/run/resources.js';
import { SESSION_LOGIN, startSessionBackend } from '../helpers/sessions/sessions.js';

/** Seconds; long enough for a busy machine. */
const WINDOW = 5;

let backend: Backend;
let keys: string;
let redis: RedisServer | undefined;
let postgres: PostgresServer | undefined;
beforeAll(async () => {
  backend = await startSessionBackend();
  keys = writeKeys([await generateJwk('HS256', 'sim2')]);
  redis = withoutRedis ? undefined : await startRedis();
  postgres = withoutPostgres ? undefined : await startPostgres();
});
afterAll(() => Promise.all([backend.stop(), redis?.stop(), postgres?.stop()]));

const start = (STATE_STORE: string): Promise<GatewayProcess> =>
  startGateway({
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: keys,
    REFRESH_BACKEND_PATH: '/refresh.json',
    ADMIN_ROLES: 'ops',
    REFRESH_RETRY_WINDOW: String(WINDOW),
    STATE_STORE,
  });

const STORES: readonly [string, nodes: 1 | 2, url: () => string, isSkipped: boolean][] = [
  ['memory', 1, () => 'memory:', false],
  ['SQLite', 2, () => `sqlite:${join(tempFolder(), 'signet.db')}`, false],
  ['Redis', 2, () => redis?.url ?? '', withoutRedis],
  ['PostgreSQL', 2, () => postgres?.url ?? '', withoutPostgres],
];

for (const [name, count, url, isSkipped] of STORES)
  describe.skipIf(isSkipped)(`${name}, ${count} node(s)`, () => {
    const gateways: GatewayProcess[] = [];
    beforeAll(async () => {
      const store = url();
      for (let node = 0; node < count; node++) gateways.push(await start(store));
    });
    afterAll(() => Promise.all(gateways.map((gateway) => gateway.stop())));

    const nodes = (): Nodes => ({
      urls: [gateways[0]?.url ?? '', gateways.at(-1)?.url ?? ''],
      windowOver: () => {
        const end = Date.now() + WINDOW * 1000 + 100;
        return expect.poll(() => Date.now(), { interval: 100 }).toBeGreaterThan(end);
      },
      delayRefresh: (delayMs) => backend.answer('/refresh.json', { body: SESSION_LOGIN, delayMs }),
      asked: () => backend.seen.filter(({ url: path }) => path === '/refresh.json').length,
    });
    describeRetries(nodes);
  });
