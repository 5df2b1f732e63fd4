import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../helpers/backends/backend.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startPostgres, withoutPostgres } from '../helpers/stores/postgres.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import { tempFolder } from '../helpers/run/resources.js';
import {
  custom,
  expectRace,
  login,
  pairOf,
  refresh,
  startSessionBackend,
  verdictOf,
} from '../helpers/sessions/sessions.js';

let backend: Backend;
let keys: string;
beforeAll(async () => {
  backend = await startSessionBackend();
  keys = writeKeys([await generateJwk('HS256', 'sim2')]);
});
afterAll(() => backend.stop());

const start = (env: Record<string, string> = {}, cwd?: string): Promise<GatewayProcess> =>
  startGateway(
    {
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      REFRESH_BACKEND_PATH: '/refresh.json',
      REFRESH_RETRY_WINDOW: '0',
      ...env,
    },
    cwd,
  );

describe('50 uses of one refresh token at the same time', () => {
  it('succeed once in four processes that share a SQLite file', async () => {
    const file = join(tempFolder(), 'signet.db');
    const gateways = await Promise.all(
      Array.from({ length: 4 }, () => start({ STATE_STORE: `sqlite:${file}` })),
    );
    await expectRace(gateways);
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  it.skipIf(withoutRedis)('succeed once in two processes with a Redis', async () => {
    const redis = await startRedis();
    await expectRaceOn(redis.url);
    await redis.stop();
  });

  it.skipIf(withoutPostgres)('succeed once in two processes with a PostgreSQL', async () => {
    const postgres = await startPostgres();
    await expectRaceOn(postgres.url);
    await postgres.stop();
  });

  async function expectRaceOn(STATE_STORE: string): Promise<void> {
    const gateways = await Promise.all(Array.from({ length: 2 }, () => start({ STATE_STORE })));
    await expectRace(gateways);
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  }

  it('succeed once on four workers', async () => {
    const gateway = await start({ WORKERS: '4' });
    // Each request has a connection of its own, so that all workers get some.
    await expectRace([gateway]);
    await gateway.stop();
  });

  it('stay decided after kill -9 and a restart', async () => {
    const directory = tempFolder();
    const before = await start({}, directory);
    const first = await login(before.url);
    const second = pairOf(await refresh(before.url, first.refresh));
    before.process.kill('SIGKILL');
    await once(before.process, 'exit');
    const after = await start({}, directory);
    expect(verdictOf(await refresh(after.url, first.refresh))).toBe('400 refresh_token_reused');
    expect(verdictOf(await refresh(after.url, second.refresh))).toBe('400 refresh_token_invalid');
    expect(await custom(after.url, second.access)).toBe('401 token_revoked');
    await expectRace([after]);
    await after.stop();
  });
});
