// Any number of revocations. `SIGNET_REVOCATIONS=5000000 npx vitest run --project long many-revocations` repeats
// it with as many.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type Revocation, type StateStore } from '../../src/state/index.js';
import { StateDatabase } from '../../src/state/sqlite/state-database.js';
import { quantile } from '../helpers/faults.js';
import { figure } from '../helpers/figure.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway.js';
import { call, callWith } from '../helpers/http.js';
import { generateJwk, writeKeys } from '../helpers/keys.js';
import { metricOf } from '../helpers/processes.js';
import { startRedis, withoutRedis } from '../helpers/redis.js';
import { tempFolder } from '../helpers/resources.js';
import { custom, login, postForm, verdictOf } from '../helpers/sessions.js';
import { revocation } from '../helpers/store-contract.js';

const COUNT = Number(process.env.SIGNET_REVOCATIONS ?? 100_000);
const AT_ONCE = 2000;
const MINUTES = 60_000;
/** For so long gateways go on with the revocations that they have seen, less what a poll takes. */
const SEEN_COUNTS_MS = 28_000;
/** For a million; a busy machine takes longer. */
const TIMEOUT = 2 * MINUTES + (COUNT / 1_000_000) * 8 * MINUTES;

const keys = generateJwk('HS256', 'sim2').then((key) => writeKeys([key]));

async function start(STATE_STORE: string): Promise<GatewayProcess & { readyMs: number }> {
  const began = performance.now();
  const gateway = await startGateway({
    STATE_STORE,
    SIGNER_JWK_LOCAL_PATH: await keys,
    ERRORS_EXPLAIN: 'true',
  });
  onTestFinished(async () => void (await gateway.stop()));
  return { ...gateway, readyMs: performance.now() - began };
}

/** Sessions that ended, as logouts leave them, after those that are given. */
async function fill(store: StateStore, first: readonly Revocation[]): Promise<void> {
  const entries = [...first];
  for (let added = 0; added < COUNT; added += AT_ONCE) {
    while (entries.length < AT_ONCE)
      entries.push(revocation({ kind: 'sid', value: randomUUID(), reason: 'the user logged out' }));
    await store.restore(entries.splice(0));
  }
  await expect
    .poll(async () => (await store.changes(undefined, 1)).incomplete, { interval: 200 })
    .toBeUndefined();
}

/** Megabytes of memory of a process. */
const residentOf = ({ process: child }: GatewayProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

const sizeOf = async (gateway: GatewayProcess): Promise<number> =>
  metricOf(await gateway.metrics(), 'signet_revocations');

const revokedBy = (token: string): Revocation =>
  revocation({ value: String(decodeJwt(token).jti), reason: `because of ${randomUUID()}` });

/** Calls with a good and with revoked tokens, one after the other, until told to stop. */
function load({ url }: GatewayProcess, good: string, bad: readonly string[]) {
  const verdicts = { good: new Set<string>(), bad: new Set<string>() };
  const stopping = new AbortController();
  const running = (async () => {
    for (let round = 0; !stopping.signal.aborted; round++) {
      verdicts.good.add(await custom(url, good));
      verdicts.bad.add(await custom(url, bad[round % bad.length] as string));
      await sleep(5);
    }
  })();
  return async () => {
    stopping.abort();
    await running;
    return { good: [...verdicts.good], bad: [...verdicts.bad] };
  };
}

describe(`${COUNT} revocations`, () => {
  it(
    'in SQLite: a gateway boots with them, and goes on while all of them expire',
    async () => {
      const file = join(tempFolder(), 'signet.db');
      const url = `sqlite:${file}`;
      const issuing = await start('memory:');
      const bad = (await login(issuing.url)).access;
      const store = await openStore(url);
      await fill(store, [revokedBy(bad)]);
      await store.close();
      const gateway = await start(url);
      expect(await sizeOf(gateway)).toBeGreaterThanOrEqual(COUNT);
      expect(await custom(gateway.url, bad)).toBe('401 token_revoked');
      expect(await custom(gateway.url, (await login(gateway.url)).access)).toBe('200');
      const { access } = await login(gateway.url);
      const lookups: number[] = [];
      for (let round = 0; round < 200; round++)
        lookups.push((await callWith(`${gateway.url}/private/custom`, access)).ms);

      // All of them have expired. Gateways delete nothing in their first ten minutes: this does as their threads do.
      const database = new StateDatabase(file);
      onTestFinished(() => database.database.close());
      const now = Date.now() / 1000;
      database.database.exec(`UPDATE revocation SET expires_at = ${now - 1}`);
      database.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      const verdicts = new Set<string>();
      const writes: number[] = [];
      const done = new AbortController();
      const expiredAt = performance.now();
      const revoking = (async () => {
        while (!done.signal.aborted) {
          const next = (await login(gateway.url)).access;
          verdicts.add(await custom(gateway.url, next));
          const revoked = await postForm(`${gateway.url}/token/revoke`, { token: next });
          writes.push(revoked.ms);
          verdicts.add(verdictOf(revoked));
        }
      })();
      let log = 0;
      while (database.purge(now)) {
        log = Math.max(log, statSync(`${file}-wal`).size);
        await sleep(20);
      }
      const expiryMs = performance.now() - expiredAt;
      done.abort();
      await revoking;
      expect([...verdicts]).toEqual(['200']);
      figure(
        `SQLite, ${COUNT}: GET p50 ${quantile(lookups, 0.5).toFixed(1)} ms; all expired at once: deleted in ${(expiryMs / 1000).toFixed(0)} s, of ${writes.length} revocations meanwhile p50 ${quantile(writes, 0.5).toFixed(0)} ms, slowest ${Math.max(...writes).toFixed(0)} ms, none failed; WAL at most ${(log / 1e6).toFixed(0)} MB`,
      );
      figure(
        `SQLite, ${COUNT}: booted in ${(gateway.readyMs / 1000).toFixed(1)} s, ${residentOf(gateway).toFixed(0)} MB`,
      );
    },
    TIMEOUT,
  );

  it.skipIf(withoutRedis)(
    'in Redis: boot; a restart with the data and without it costs no 503, and nobody passes meanwhile',
    async () => {
      const redis = await startRedis('--appendonly', 'yes');
      onTestFinished(() => redis.stop());
      const issuing = await start('memory:');
      const bad = await Promise.all(
        Array.from({ length: 50 }, async () => (await login(issuing.url)).access),
      );
      const entries = bad.map(revokedBy);
      const store = await openStore(redis.url);
      onTestFinished(() => store.close());
      await fill(store, entries);
      const gateway = await start(redis.url);
      const memory = residentOf(gateway);
      expect(await sizeOf(gateway)).toBeGreaterThanOrEqual(COUNT);
      const good = (await login(gateway.url)).access;

      // With its data.
      let stop = load(gateway, good, bad);
      const killedAt = performance.now();
      await redis.kill();
      // Resolves once it has read its data.
      await redis.start();
      const awayMs = performance.now() - killedAt;
      await expect
        .poll(() => store.addRevocation(revocation({ value: 'after' })).then(() => 'done'), {
          timeout: TIMEOUT,
        })
        .toBe('done');
      const known = await sizeOf(gateway);
      const backMs = performance.now() - killedAt;
      await expect.poll(() => sizeOf(gateway)).toBeGreaterThan(known - 1);
      await expect
        .poll(async () => metricOf(await gateway.metrics(), 'signet_state_stale_seconds'))
        .toBe(0);
      const during = await stop();
      // A Redis that takes longer is away for longer than what was seen counts.
      const patient = awayMs < SEEN_COUNTS_MS ? [] : ['503 state_unavailable'];
      expect(during.good.filter((verdict) => !patient.includes(verdict))).toEqual(['200']);
      expect(during.bad.filter((verdict) => !patient.includes(verdict))).toEqual([
        '401 token_revoked',
      ]);
      const said = (): string[] =>
        gateway.log().flatMap(({ msg }) => (/new history/.test(String(msg)) ? [String(msg)] : []));
      expect(said()).toEqual([]);

      // Without them.
      stop = load(gateway, good, bad);
      await redis.command('FLUSHALL');
      const lostAt = performance.now();
      await expect.poll(async () => (await store.changes(undefined, 1)).incomplete).toBe(true);
      const booting = await start(redis.url);
      const passed: string[] = [];
      let readyAt = 0;
      for (let round = 0; said().length === 0 || readyAt === 0; round++) {
        const token = bad[round % bad.length] as string;
        if ((await custom(booting.url, token)) === '200') passed.push(token);
        const { status } = await call(`${booting.url}/health/ready`);
        if (status === 200 && readyAt === 0) readyAt = performance.now();
        await sleep(20);
      }
      const givenBackMs = readyAt - lostAt;
      expect(passed).toEqual([]);
      expect(await sizeOf(booting)).toBeGreaterThanOrEqual(COUNT);
      expect(await stop()).toEqual({ good: ['200'], bad: ['401 token_revoked'] });
      expect(said()).toEqual([expect.stringMatching(/got back \d+ revocations/)]);
      // With their reasons.
      const back = new Map<string, Revocation>();
      for (
        let after: string | undefined, page;
        (page = await store.listRevocations({ after, limit: 1000 })).length > 0;
      ) {
        for (const entry of page) back.set(entry.id, entry);
        after = page.at(-1)?.id;
        if (back.size > AT_ONCE && entries.every(({ id }) => back.has(id))) break;
      }
      expect(entries.map(({ id }) => back.get(id))).toEqual(entries);
      expect((await callWith(`${booting.url}/private/custom`, good)).status).toBe(200);
      figure(
        `Redis, ${COUNT}: booted in ${(gateway.readyMs / 1000).toFixed(1)} s, ${memory.toFixed(0)} MB; ` +
          `restart of Redis with its data ${(backMs / 1000).toFixed(1)} s, of which it read ${(awayMs / 1000).toFixed(1)} s; ${during.good.length + during.bad.length - 2} kinds of 503 meanwhile; all given back and a new node ready ${(givenBackMs / 1000).toFixed(1)} s after the loss`,
      );
    },
    TIMEOUT,
  );
});
