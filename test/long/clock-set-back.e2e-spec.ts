// The clock of a machine is set back. What was issued before has a later time than a revocation of its user, and does
// not survive it all the same: not on any process of the store, nor when the clock comes there again.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { machineClock } from '../helpers/run/machine-clock.js';
import { startPostgres, withoutPostgres } from '../helpers/stores/postgres.js';
import { preload } from '../helpers/gateway/processes.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import { tempFolder } from '../helpers/run/resources.js';
import {
  custom,
  login,
  pairOf,
  refresh,
  verdictOf,
  type Pair,
} from '../helpers/sessions/sessions.js';

/** Two polls of every process. */
const NOTICED_MS = 1500;

interface Server {
  readonly url: string;
  stop(): Promise<unknown>;
}
const without = (url: () => string) => async (): Promise<Server> => ({
  url: url(),
  stop: async () => undefined,
});
/** The stores, and how many gateways have one in common. Redis and PostgreSQL have a clock of their own, which is right. */
const STORES: readonly [string, boolean, () => Promise<Server>, nodes: number][] = [
  ['memory', false, without(() => 'memory:'), 1],
  ['SQLite', false, without(() => `sqlite:${join(tempFolder('state'), 'signet.db')}`), 3],
  ['Redis', withoutRedis, startRedis, 3],
  ['PostgreSQL', withoutPostgres, startPostgres, 3],
];

describe.each(STORES)('%s', (_name, isMissing, startServer, count) => {
  let backend: Backend;
  let keys: string;
  beforeAll(async () => {
    backend = await startBackend();
    keys = writeKeys([await generateJwk('HS256', 'sim2')]);
    await backend.answer('/user/1.json', { body: { id: 1 } });
  });
  afterAll(() => backend.stop());

  const be = async (sub: string): Promise<void> => {
    const claims = { access_token: { sub, roles: ['role_a', 'ops'] }, refresh_token: { sub } };
    await backend.answer('/token.json', { body: claims });
    await backend.answer('/refresh.json', { body: claims });
  };
  async function start(url: string, clock: string | undefined): Promise<GatewayProcess> {
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      REFRESH_BACKEND_PATH: '/refresh.json',
      ADMIN_ROLES: 'ops',
      STATE_STORE: url,
      ...(clock === undefined ? {} : { NODE_OPTIONS: preload(clock) }),
    });
    onTestFinished(async () => void (await gateway.stop()));
    return gateway;
  }
  async function revoke({ url }: GatewayProcess, admin: string, sub: string): Promise<number> {
    const { status, json } = await call(`${url}/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub }),
    });
    expect(status).toBe(201);
    return Number(json.before);
  }
  /** None of the sessions gets anywhere, on any of the gateways. */
  async function expectDead(gateways: GatewayProcess[], pairs: Pair[], how: RegExp): Promise<void> {
    for (const { url } of gateways)
      for (const { access, refresh: token } of pairs) {
        await expect.poll(() => custom(url, access)).toMatch(how);
        expect(verdictOf(await refresh(url, token))).toBe('400 refresh_token_invalid');
      }
  }

  const cases: readonly [seconds: number, by: string, late: boolean][] = [
    [2, 'at once, by one of them', false],
    [30, 'at once, by one of them', false],
    [30, 'by a gateway that was started afterwards', true],
  ];
  it.skipIf(isMissing).each(cases.filter(([, , late]) => !late || count > 1))(
    'set back by %s s, and the user revoked %s: no session survives',
    async (ahead, _by, late) => {
      const server = await startServer();
      onTestFinished(async () => void (await server.stop()));
      const clock = machineClock();
      const gateways = await Promise.all(
        Array.from({ length: count }, () => start(server.url, clock.code)),
      );
      const revoking = gateways.at(-1) as GatewayProcess;
      const other = gateways[0] as GatewayProcess;
      await be('admin');
      const { access: admin } = await login(other.url);
      clock.set(ahead);
      await sleep(NOTICED_MS);
      await be('ann');
      const sessions = await Promise.all(gateways.map(({ url }) => login(url)));
      const [first] = sessions as [Pair];
      const rotated = await refresh(revoking.url, first.refresh);
      expect(verdictOf(rotated)).toBe('200');
      sessions[0] = pairOf(rotated);

      clock.set(0);
      if (late) await sleep(NOTICED_MS);
      const by = late ? await start(server.url, clock.code) : revoking;
      const before = await revoke(by, admin, 'ann');
      for (const { access } of sessions) expect(Number(decodeJwt(access).iat)).toBeLessThan(before);
      await expectDead(gateways, sessions, /^401 token_(?:revoked|not_yet_valid)$/);
      // Others do not notice.
      await be('bert');
      expect(await custom(other.url, (await login(other.url)).access)).toBe('200');

      clock.set(ahead + 3);
      await sleep(NOTICED_MS);
      await expectDead(gateways, sessions, /^401 token_revoked$/);
      await be('ann');
      await expect.poll(async () => custom(other.url, (await login(other.url)).access)).toBe('200');
    },
  );

  it.skipIf(isMissing || count === 1)(
    'the clock of one process is 3 s ahead: no session of its survives a revocation by the others',
    async () => {
      const server = await startServer();
      onTestFinished(async () => void (await server.stop()));
      const clock = machineClock();
      clock.set(3);
      const [ahead, ...others] = await Promise.all([
        start(server.url, clock.code),
        start(server.url, undefined),
        start(server.url, undefined),
      ]);
      await be('admin');
      const { access: admin } = await login(others[0].url);
      await be('ann');
      for (const by of others) {
        const sessions = await Promise.all([ahead, ahead, ahead].map(({ url }) => login(url)));
        await revoke(by, admin, 'ann');
        await expectDead([ahead, ...others], sessions, /^401 token_revoked$/);
        await sleep(NOTICED_MS);
      }
    },
  );
});
