// Any number of revocations. `SIGNET_REVOCATIONS=5000000 npx vitest run --project long many-revocations` repeats
// it with as many; `-t Redis` does one of the stores.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  openStore,
  type ChangeCursor,
  type Revocation,
  type StateStore,
} from '../../src/state/index.js';
import { Forgetting, KEEP_SECONDS } from '../../src/state/forgetting.js';
import { StateDatabase } from '../../src/state/sqlite/state-database.js';
import { quantile } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import {
  fillPostgres,
  fillRedis,
  fillSqlite,
  type Filling,
} from '../helpers/stores/fill-stores.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call, callWith } from '../helpers/network/http.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startPostgres, withoutPostgres } from '../helpers/stores/postgres.js';
import { metricOf } from '../helpers/gateway/processes.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import { kill, tempFolder } from '../helpers/run/resources.js';
import { custom, login, postForm, verdictOf } from '../helpers/sessions/sessions.js';
import { revocation } from '../helpers/stores/store-contract.js';

const COUNT = Number(process.env.SIGNET_REVOCATIONS ?? 100_000);
/** Of those that expire within a minute. */
const EXPIRING = Math.min(COUNT, 3_000_000);
const MINUTES = 60_000;
/** For a million; a busy machine takes longer. */
const TIMEOUT = 4 * MINUTES + (COUNT / 1_000_000) * 8 * MINUTES;
/** The criterion for five million, and so for all of them. */
const MEGABYTES = 500;
/** Of a look-up with a request around it, on a busy machine; it takes no longer with millions. */
const LONGEST_MEDIAN_MS = 50;
/** For which an expiry may hold up a request: whoever waits longer gets a 503. */
const LONGEST_WAIT_MS = 5000;

const epoch = (): number => Math.floor(Date.now() / 1000);
const tomorrow = (): Filling['expires'] => [epoch() + 86_400, epoch() + 86_400];
/** Within a minute, and long enough ago to be forgotten. */
const longAgo = (): Filling['expires'] => [epoch() - 2 * 3600, epoch() - 2 * 3600 + 60];

/** A store of a kind, empty at first. */
interface Place {
  readonly url: string;
  fillWith(filling: Filling): Promise<void> | void;
  /**
   * Deletes some of what has expired.
   *
   * @param poll reads the end of the history, as a gateway does
   * @returns whether there may be more
   */
  purge(poll: () => Promise<void>): Promise<boolean>;
  /** Revocations that it has, expired ones included. */
  count(): Promise<number> | number;
  /** Where the store is a server. */
  readonly server?: {
    kill(): Promise<void>;
    /** Resolves once it answers. */
    start(): Promise<void>;
    lose(): Promise<unknown>;
  };
  /** What everything that is written goes through. */
  readonly log: {
    readonly name: string;
    bytes(): Promise<number> | number;
    /** By how much it may grow while revocations are deleted. */
    readonly most: number;
  };
}

async function sqlite(): Promise<Place> {
  const file = join(tempFolder(), 'signet.db');
  let database: StateDatabase | undefined;
  const opened = (): StateDatabase => (database ??= new StateDatabase(file));
  onTestFinished(() => database?.database.close());
  return {
    url: `sqlite:${file}`,
    fillWith: (filling) => fillSqlite(file, filling),
    // As its thread does, which deletes nothing in the first ten minutes.
    purge: async () => {
      await sleep(20);
      return opened().purge(epoch() - KEEP_SECONDS);
    },
    count: () => Number(opened().database.prepare('SELECT count(*) AS n FROM revocation').get()?.n),
    // One transaction of everything would make ten times as much.
    log: { name: 'WAL', bytes: () => statSync(`${file}-wal`).size, most: 60e6 },
  };
}

/** Nothing is forgotten in the first ten minutes; but this process has seen the clock for longer. */
function forgetAtOnce(): void {
  const horizon = vi.spyOn(Forgetting.prototype, 'horizon', 'get');
  horizon.mockImplementation(() => epoch() - KEEP_SECONDS);
  onTestFinished(() => horizon.mockRestore());
}

async function redis(): Promise<Place> {
  const server = await startRedis('--appendonly', 'yes');
  onTestFinished(() => server.stop());
  const expired = async (): Promise<number> =>
    Number(
      await server.command('ZCOUNT', 'signet:{state}:expiry', '-inf', `${epoch() - KEEP_SECONDS}`),
    );
  return {
    url: server.url,
    fillWith: (filling) => fillRedis(server, filling),
    purge: async (poll) => {
      await poll();
      await sleep(20);
      return (await expired()) > 0;
    },
    count: async () => Number(await server.command('HLEN', 'signet:{state}:entries')),
    // Each of the commands that delete one is appended; how long it gets, the server's settings say.
    log: {
      name: 'AOF',
      bytes: async () =>
        Number(
          /aof_current_size:(\d+)/.exec(String(await server.command('INFO', 'persistence')))?.[1],
        ),
      most: EXPIRING * 1000,
    },
    server: {
      kill: () => server.kill(),
      start: () => server.start(),
      lose: () => server.command('FLUSHALL'),
    },
  };
}

async function postgres(): Promise<Place> {
  const server = await startPostgres('shared_buffers=256MB', 'max_wal_size=4GB');
  onTestFinished(() => server.stop());
  const expired = `SELECT 1 FROM signet.revocation WHERE expires_at <= extract(epoch FROM now()) - ${KEEP_SECONDS} OFFSET 1 LIMIT 1`;
  return {
    url: server.url,
    fillWith: (filling) => fillPostgres(server, filling),
    purge: async (poll) => {
      // Each begins another piece as soon as there is none.
      for (let round = 0; round < 50; round++) {
        await poll();
        await sleep(20);
      }
      // The last one is kept for the sake of cursors.
      return (await server.sql(expired)).length > 0;
    },
    count: async () =>
      Number((await server.sql('SELECT count(*) AS n FROM signet.revocation'))[0]?.n),
    // All that was ever written; how much of it stays on the disk, the server's settings say.
    log: {
      name: 'WAL',
      bytes: async () =>
        Number((await server.sql("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS n"))[0]?.n),
      most: EXPIRING * 1000,
    },
    server: {
      kill: () => server.kill(),
      start: () => server.start(),
      lose: () =>
        server.sql(
          'TRUNCATE signet.revocation; UPDATE signet.state SET history = gen_random_uuid(), version = 0',
        ),
    },
  };
}

const keys = generateJwk('HS256', 'sim2').then((key) => writeKeys([key]));

async function start(STATE_STORE: string): Promise<GatewayProcess & { readyMs: number }> {
  const began = performance.now();
  const gateway = await startGateway({
    STATE_STORE,
    SIGNER_JWK_LOCAL_PATH: await keys,
    // As npm start does.
    NODE_OPTIONS: '--max-semi-space-size=16 --max-old-space-size=1024',
  });
  onTestFinished(async () => void (await gateway.stop()));
  return { ...gateway, readyMs: performance.now() - began };
}

async function open(url: string): Promise<StateStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}

/** Megabytes of memory of a process, and what it was at most. */
function memoryOf({ process: child }: GatewayProcess): { now: number; most: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const of = (name: string): number =>
    (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6;
  return { now: of('VmRSS'), most: of('VmHWM') };
}

const sizeOf = async (gateway: GatewayProcess): Promise<number> =>
  metricOf(await gateway.metrics(), 'signet_revocations');

const revokedBy = (token: string): Revocation =>
  revocation({
    value: String(decodeJwt(token).jti),
    reason: `because of ${randomUUID()}`,
    expiresAt: epoch() + 86_400,
  });

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
const NOT_ONE_503 = { good: ['200'], bad: ['401 token_revoked'] };

/**
 * Kills a gateway that has its store in itself just after a revocation, and starts it again.
 *
 * @returns milliseconds until it was ready
 */
async function killWithStore(
  gateway: GatewayProcess,
  url: string,
  bad: readonly string[],
): Promise<number> {
  const size = await sizeOf(gateway);
  const { access } = await login(gateway.url);
  const revoked = await postForm(`${gateway.url}/token/revoke`, { token: access });
  expect(verdictOf(revoked)).toBe('200');
  await kill(gateway.process);
  const again = await start(url);
  expect(await sizeOf(again)).toBe(size + 1);
  for (const token of [access, ...bad])
    expect(await custom(again.url, token)).toBe('401 token_revoked');
  return again.readyMs;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

describe.each([
  ['SQLite', false, sqlite],
  ['Redis', withoutRedis, redis],
  ['PostgreSQL', withoutPostgres, postgres],
] as const)(`${COUNT} revocations in %s`, (name, isMissing, startPlace) => {
  const measured = (what: string): void => figure(`${name}, ${COUNT}: ${what}`);

  it.skipIf(isMissing)(
    'are read at the boot, verified after a restart of the store, and given back where it lost them',
    async () => {
      const place = await startPlace();
      const issuing = await start('memory:');
      const bad = await Promise.all(
        Array.from({ length: 50 }, async () => (await login(issuing.url)).access),
      );
      await issuing.stop();
      const entries = bad.map(revokedBy);
      const store = await open(place.url);
      await store.restore(entries);
      await place.fillWith({ count: COUNT, expires: tomorrow() });
      await expect
        .poll(async () => (await store.changes(undefined, 1)).incomplete, { interval: 200 })
        .toBeUndefined();

      const gateway = await start(place.url);
      expect(await sizeOf(gateway)).toBe(COUNT + entries.length);
      const { most } = memoryOf(gateway);
      for (const token of bad) expect(await custom(gateway.url, token)).toBe('401 token_revoked');
      const good = (await login(gateway.url)).access;
      const lookups: number[] = [];
      for (let round = 0; round < 500; round++) {
        const { ms, status } = await callWith(`${gateway.url}/private/custom`, good);
        expect(status).toBe(200);
        lookups.push(ms);
      }
      // What the boot has left to the garbage collector.
      await expect.poll(() => memoryOf(gateway).now, { interval: 200 }).toBeLessThan(MEGABYTES);
      await sleep(5000);
      const { now } = memoryOf(gateway);
      expect(now).toBeLessThan(MEGABYTES);
      expect(quantile(lookups, 0.5)).toBeLessThan(LONGEST_MEDIAN_MS);
      measured(
        `booted in ${seconds(gateway.readyMs)}; ${now.toFixed(0)} MB, ` +
          `at most ${most.toFixed(0)}; GET p50 ${quantile(lookups, 0.5).toFixed(1)} ms, ` +
          `p99 ${quantile(lookups, 0.99).toFixed(1)} ms`,
      );

      const { server } = place;
      if (server === undefined) {
        const readyMs = await killWithStore(gateway, place.url, bad);
        measured(`the gateway, killed and started again, is ready after ${seconds(readyMs)}`);
        return;
      }
      const said = (): string[] =>
        gateway.log().flatMap(({ msg }) => (/new history/.test(String(msg)) ? [String(msg)] : []));
      const isFresh = async (): Promise<boolean> =>
        metricOf(await gateway.metrics(), 'signet_state_stale_seconds') === 0;

      // Started again with its data.
      let stop = load(gateway, good, bad);
      const killedAt = performance.now();
      await server.kill();
      await expect.poll(isFresh, { interval: 50 }).toBe(false);
      await server.start();
      const awayMs = performance.now() - killedAt;
      await expect.poll(isFresh, { timeout: TIMEOUT, interval: 50 }).toBe(true);
      const backMs = performance.now() - killedAt;
      expect(await stop()).toEqual(NOT_ONE_503);
      expect(await sizeOf(gateway)).toBe(COUNT + entries.length);
      expect(said()).toEqual([]);
      // It was not read again: that takes as long as a boot.
      const verifiedMs = backMs - awayMs;
      expect(verifiedMs).toBeLessThan(Math.max(gateway.readyMs / 2, 5000));
      measured(
        `the store, killed and started again with its data, answers after ${seconds(awayMs)}, ` +
          `and is verified ${seconds(verifiedMs)} later; no 503`,
      );

      // Without them.
      stop = load(gateway, good, bad);
      await server.lose();
      const lostAt = performance.now();
      await expect
        .poll(async () => (await store.changes(undefined, 1)).incomplete, { interval: 20 })
        .toBe(true);
      const booting = await start(place.url);
      const passed: string[] = [];
      let readyAt = 0;
      for (let round = 0; said().length === 0 || readyAt === 0; round++) {
        const token = bad[round % bad.length] as string;
        if ((await custom(booting.url, token)) === '200') passed.push(token);
        const { status } = await call(`${booting.url}/health/ready`);
        if (status === 200 && readyAt === 0) readyAt = performance.now();
        await sleep(20);
      }
      expect(passed).toEqual([]);
      expect(await sizeOf(booting)).toBe(COUNT + entries.length);
      expect(await stop()).toEqual(NOT_ONE_503);
      expect(said()).toEqual([
        expect.stringContaining(`got back ${COUNT + entries.length} revocations`),
      ]);
      // With their reasons.
      const back = new Map<string, Revocation>();
      for (
        let after: string | undefined, page;
        (page = await store.listRevocations({ after, limit: 1000 })).length > 0;
      ) {
        for (const entry of page) back.set(entry.id, entry);
        after = page.at(-1)?.id;
        if (entries.every(({ id }) => back.has(id))) break;
      }
      expect(entries.map(({ id }) => back.get(id))).toEqual(entries);
      expect((await callWith(`${booting.url}/private/custom`, good)).status).toBe(200);
      measured(
        `all given back, and a new gateway ready, ${seconds(readyAt - lostAt)} after the loss; no 503 of the others`,
      );
    },
    TIMEOUT,
  );

  it.skipIf(isMissing)(
    'are deleted in pieces after they have expired within a minute',
    async () => {
      const place = await startPlace();
      const store = await open(place.url);
      await store.restore([]);
      await place.fillWith({ count: EXPIRING, expires: longAgo() });
      const gateway = await start(place.url);
      const { access } = await login(gateway.url);
      expect(await sizeOf(gateway)).toBe(EXPIRING);
      let cursor: ChangeCursor | undefined;
      const poll = async (): Promise<void> => {
        for (let more = true; more;) ({ cursor, more } = await store.changes(cursor, 5000));
      };
      await poll();
      forgetAtOnce();

      const verdicts = new Set<string>();
      const [reads, writes]: [number[], number[]] = [[], []];
      const done = new AbortController();
      const revoking = (async () => {
        while (!done.signal.aborted) {
          const read = await callWith(`${gateway.url}/private/custom`, access);
          reads.push(read.ms);
          verdicts.add(`GET ${verdictOf(read)}`);
          const revoked = await postForm(`${gateway.url}/token/revoke`, {
            token: (await login(gateway.url)).access,
          });
          writes.push(revoked.ms);
          verdicts.add(`revoke ${verdictOf(revoked)}`);
        }
      })();
      const { log } = place;
      const [began, logBefore] = [performance.now(), await log.bytes()];
      let logAfter = logBefore;
      while (await place.purge(poll)) logAfter = Math.max(logAfter, await log.bytes());
      const ms = performance.now() - began;
      done.abort();
      await revoking;
      expect([...verdicts]).toEqual(['GET 200', 'revoke 200']);
      // What is left was revoked meanwhile; PostgreSQL keeps one more, for the sake of cursors.
      expect(await place.count()).toBeLessThanOrEqual(writes.length + 1);
      const [longestRead, longestWrite] = [Math.max(...reads), Math.max(...writes)];
      expect(Math.max(longestRead, longestWrite)).toBeLessThan(LONGEST_WAIT_MS);
      expect(logAfter - logBefore).toBeLessThan(log.most);
      measured(
        `${EXPIRING} expired within a minute, deleted in ${seconds(ms)}; no 503; ` +
          `meanwhile ${reads.length} GET p50 ${quantile(reads, 0.5).toFixed(1)} ms, slowest ${longestRead.toFixed(0)} ms, ` +
          `revocations p50 ${quantile(writes, 0.5).toFixed(0)} ms, slowest ${longestWrite.toFixed(0)} ms; ` +
          `${log.name} at most ${((logAfter - logBefore) / 1e6).toFixed(0)} MB longer`,
      );
    },
    TIMEOUT,
  );
});
