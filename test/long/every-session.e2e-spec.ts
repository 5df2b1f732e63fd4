// All sessions of a user are revoked while they refresh, whatever the way to the store and the clocks: none survives.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { AUDIENCE, ISSUER } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { openLink, type NetworkLink } from '../helpers/network/network-link.js';
import { metricOf, preload } from '../helpers/gateway/processes.js';
import { startPostgres, withoutPostgres } from '../helpers/stores/postgres.js';
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

const SESSIONS = 12;
/** Code for `preload`: the wall clock is so many seconds ahead. */
const clockAhead = (seconds: number): string =>
  `const wall = Date.now; Date.now = () => wall() + ${seconds * 1000};`;

interface Server {
  readonly url: string;
  /** Left out where there is no network. */
  readonly port?: number;
  stop(): Promise<unknown>;
}
const startSqlite = async (): Promise<Server> => ({
  url: `sqlite:${join(tempFolder('state'), 'signet.db')}`,
  stop: async () => undefined,
});
const STORES: readonly [string, boolean, () => Promise<Server>, readonly number[]][] = [
  // Processes of one machine have one clock.
  ['SQLite', false, startSqlite, [0]],
  ['Redis', withoutRedis, startRedis, [0, 2, -2, 30, -30]],
  ['PostgreSQL', withoutPostgres, startPostgres, [0, 2, -2, 30, -30]],
];

describe.each(STORES)('%s', (name, isMissing, startServer, clocks) => {
  let backend: Backend;
  let keys: string;
  let server: Server;
  beforeAll(async () => {
    if (isMissing) return;
    backend = await startBackend();
    keys = writeKeys([await generateJwk('HS256', 'sim2')]);
    server = await startServer();
    await backend.answer('/user/1.json', { body: { id: 1 } });
  });
  afterAll(() => (isMissing ? undefined : Promise.all([backend.stop(), server.stop()])));

  interface Node extends GatewayProcess {
    link: NetworkLink | undefined;
  }
  async function start(ahead = 0): Promise<Node> {
    const { url, port } = server;
    const link = port === undefined ? undefined : await openLink(port);
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      SIGNER_ISSUER: ISSUER,
      VALIDATOR_AUDIENCE: AUDIENCE,
      REFRESH_BACKEND_PATH: '/refresh.json',
      ADMIN_ROLES: 'ops',
      STATE_STORE: link === undefined ? url : url.replace(`:${port}`, `:${link.port}`),
      ...(ahead === 0 ? {} : { NODE_OPTIONS: preload(clockAhead(ahead)) }),
    });
    return { ...gateway, link };
  }

  it.skipIf(isMissing).each(clocks)(
    'clocks that are %s s apart, and 200 ms to the store: no session survives that is older than the revocation of its user',
    async (ahead) => {
      const sub = `u${ahead}`;
      const claims = { access_token: { sub, roles: ['role_a', 'ops'] }, refresh_token: { sub } };
      await backend.answer('/token.json', { body: claims });
      await backend.answer('/refresh.json', { body: claims });
      const nodes = await Promise.all([start(ahead), start()]);
      const [one, right] = nodes;
      const skew = metricOf(await one.metrics(), 'signet_state_clock_skew_seconds');
      expect(Math.abs(skew - Math.abs(ahead))).toBeLessThan(0.5);
      const { status } = await call(`${one.url}/health/ready`);
      expect(status).toBe(Math.abs(ahead) > 10 ? 503 : 200);
      const { access: admin } = await login(right.url);
      const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => login(one.url)));
      for (const { link } of nodes) link?.delay(100);
      // Each refreshes without a pause, until it is refused; it repeats what the store had no time for.
      const last: Pair[] = [];
      let refreshes = 0;
      const refreshing = Promise.all(
        sessions.map(async (session, index) => {
          for (last[index] = session; ;) {
            const answer = await refresh(one.url, last[index].refresh);
            if (answer.status === 503) await sleep(250);
            else if (answer.status !== 200) return verdictOf(answer);
            else {
              last[index] = pairOf(answer);
              refreshes++;
            }
          }
        }),
      );
      // Four connections to a PostgreSQL carry fifteen statements a second then: most refreshes are repeated.
      const enough = name === 'PostgreSQL' ? 2 : SESSIONS;
      await expect
        .poll(() => refreshes, { interval: 10, timeout: 30_000 })
        .toBeGreaterThanOrEqual(enough);
      const revoke = async (): Promise<number> =>
        (
          await call(`${right.url}/admin/revocations`, {
            method: 'POST',
            headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
            body: JSON.stringify({ sub }),
          })
        ).status;
      expect(await revoke()).toBe(201);
      expect(new Set(await refreshing)).toEqual(new Set(['400 refresh_token_invalid']));
      for (const { link } of nodes) link?.delay(0);
      let survivors = 0;
      for (const { url } of nodes)
        for (const { access, refresh: token } of last) {
          await expect
            .poll(() => custom(url, access))
            .toMatch(/^401 token_(?:revoked|not_yet_valid)$/);
          if ((await refresh(url, token)).status === 200) survivors++;
          // What was written into it is never ahead of the store's clock.
          expect(decodeJwt(access).iat).toBeLessThanOrEqual(Date.now() / 1000);
        }
      figure(
        `${name}, clocks ${ahead} s apart: ${survivors} of ${SESSIONS} sessions survive (F56), after ${refreshes} refreshes`,
      );
      expect(survivors).toBe(0);
      // A new login is good after the leeway and a second, and stays so.
      await sleep(3000);
      const fresh = await login(right.url);
      expect(await custom(right.url, fresh.access)).toBe('200');
      expect(verdictOf(await refresh(right.url, fresh.refresh))).toBe('200');
      const warnings = one
        .log()
        .filter(({ msg }) => String(msg).startsWith('The clock of this machine'));
      expect(warnings).toHaveLength(ahead === 0 ? 0 : 1);
      await Promise.all(nodes.map((node) => node.stop()));
    },
  );
});
