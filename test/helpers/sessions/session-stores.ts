import { afterAll, beforeAll } from 'vitest';
import type { Backend } from '../backends/backend.js';
import { hostGateway, type HostedGateway } from '../gateway/host.js';
import { generateJwk, writeKeys } from '../issuers/keys.js';
import { startRedis, withoutRedis, type RedisServer } from '../stores/redis.js';
import { startSessionBackend } from './sessions.js';

/** The stores, for `describe.each`: name, URL, and whether the server is missing. */
export type StoreRow = readonly [string, url: () => string | undefined, isSkipped: boolean];

/**
 * Gateways with sessions that refresh, for the tests of a file, and one server of each kind of store.
 *
 * @returns the stores, and how a gateway is started on one of them; without a URL it is the default one
 */
export function sessionStores(): {
  stores: readonly StoreRow[];
  readonly start: (store?: string, env?: Record<string, string>) => Promise<HostedGateway>;
} {
  let backend: Backend;
  let redis: RedisServer | undefined;
  let keys: string;
  beforeAll(async () => {
    backend = await startSessionBackend();
    keys = writeKeys([await generateJwk('HS256', 'sim2')]);
    redis = withoutRedis ? undefined : await startRedis();
  });
  afterAll(() => Promise.all([backend.stop(), redis?.stop()]));
  return {
    stores: [
      ['memory', () => 'memory:', false],
      ['SQLite', () => undefined, false],
      ['Redis', () => redis?.url, withoutRedis],
    ],
    start: (store, env = {}) =>
      hostGateway({
        BACKEND_HOST: backend.url,
        SIGNER_JWK_LOCAL_PATH: keys,
        REFRESH_BACKEND_PATH: '/refresh.json',
        ...(store === undefined ? {} : { STATE_STORE: store }),
        ...env,
      }),
  };
}
