// What a PostgreSQL promises when it crashes, is slow, or another server takes over.
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type StateStore } from '../../src/state/index.js';
import type { Backend } from '../helpers/backends/backend.js';
import { createCertificate } from '../helpers/network/certificate.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { openLink } from '../helpers/network/network-link.js';
import {
  PASSWORD,
  startPostgres,
  startStandby,
  stopBackends,
  withoutPostgres,
  type PostgresServer,
} from '../helpers/stores/postgres.js';
import { tempFolder } from '../helpers/run/resources.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  startSessionBackend,
  verdictOf,
} from '../helpers/sessions/sessions.js';
import { allChanges, anyUse, revocation, untilWritable } from '../helpers/stores/store-contract.js';

/** Adds revocations and consumes tokens, ten at a time, for as long as it is let. */
function load(store: StateStore): { confirmed: string[]; used: string[]; end(): Promise<unknown> } {
  const confirmed: string[] = [];
  const used: string[] = [];
  const ending = new AbortController();
  const each = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const entry = revocation();
      const use = anyUse();
      try {
        await store.addRevocation(entry);
        confirmed.push(entry.id);
        await store.consume(use);
        used.push(use.id);
      } catch {
        await sleep(5);
      }
    }
  };
  const all = Promise.all(Array.from({ length: 10 }, each));
  return { confirmed, used, end: () => (ending.abort(), all) };
}

/** What of it the store does not know. */
async function lostOf(store: StateStore, { confirmed, used }: ReturnType<typeof load>) {
  const known = new Set((await allChanges(store, undefined, 5000)).added.map(({ id }) => id));
  const uses = await Promise.all(used.map(async (id) => store.peek(anyUse({}, id))));
  return {
    revocations: confirmed.filter((id) => !known.has(id)).length,
    uses: uses.filter(({ state }) => state !== 'consumed').length,
  };
}

describe.skipIf(withoutPostgres)('a PostgreSQL that is killed', () => {
  it('loses nothing that was confirmed, and is used again by itself', async () => {
    const postgres = await startPostgres('fsync=on');
    onTestFinished(() => postgres.stop());
    const store = await openStore(postgres.url);
    const work = load(store);
    const times: number[] = [];
    for (let round = 1; round <= 3; round++) {
      await expect.poll(() => work.used.length, { interval: 5 }).toBeGreaterThan(round * 100);
      await postgres.kill();
      await postgres.start();
      times.push(await untilWritable(store));
    }
    await work.end();
    expect(await lostOf(store, work)).toEqual({ revocations: 0, uses: 0 });
    figure(
      `PostgreSQL killed 3 times: ${work.confirmed.length} confirmed, none lost; used again after ${Math.max(...times).toFixed(0)} ms`,
    );
    expect(Math.max(...times)).toBeLessThan(5000);
    await store.close();
  }, 120_000);

  it('with synchronous_commit off says so at the start', async () => {
    const postgres = await startPostgres('synchronous_commit=off');
    onTestFinished(() => postgres.stop());
    const gateway = await startGateway({ STATE_STORE: postgres.url });
    const warnings = gateway
      .log()
      .filter(({ msg }) => /synchronous_commit is off/.test(String(msg)));
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(gateway.log())).not.toContain(PASSWORD);
    await gateway.stop();
  });
});

describe.skipIf(withoutPostgres)('a standby that takes over', () => {
  const both = (one: PostgresServer, other: PostgresServer): string =>
    `postgres://postgres:${PASSWORD}@127.0.0.1:${one.port},127.0.0.1:${other.port}/postgres`;

  it('has everything that was confirmed where the commit waits for it, and is read before it is promoted', async () => {
    const primary = await startPostgres('synchronous_standby_names=*', 'synchronous_commit=local');
    onTestFinished(() => primary.stop());
    const standby = await startStandby(primary);
    onTestFinished(() => standby.stop());
    await primary.sql("ALTER ROLE postgres SET synchronous_commit = 'remote_apply'");
    const store = await openStore(both(standby, primary));
    const work = load(store);
    await expect.poll(() => work.used.length, { interval: 5 }).toBeGreaterThan(200);
    const { cursor } = await store.changes(undefined, 1);
    await primary.kill();
    // Nobody takes writes now, and everything is read.
    await expect
      .poll(() =>
        store.changes(cursor, 1).then(
          () => store.readOnly,
          () => undefined,
        ),
      )
      .toBe('it is a standby');
    const reading = await openStore(both(primary, standby));
    expect(reading.readOnly).toBeUndefined();
    expect(await lostOf(reading, work)).toEqual({ revocations: 0, uses: 0 });
    expect(reading.readOnly).toBe('it is a standby');
    const began = performance.now();
    await standby.sql('SELECT pg_promote()');
    const ms = await untilWritable(store);
    await work.end();
    expect(await lostOf(store, work)).toEqual({ revocations: 0, uses: 0 });
    // No gateway has to read everything again: it is the same history.
    expect((await store.changes(cursor, 1)).restarted).toBe(false);
    figure(
      `PostgreSQL, synchronous standby promoted: ${work.confirmed.length} confirmed, none lost; used again ${ms.toFixed(0)} ms after ${(performance.now() - began - ms).toFixed(0)} ms of promotion`,
    );
    await Promise.all([store.close(), reading.close()]);
  }, 120_000);

  it('may lack the end where it does not, and gets the revocations back from the gateways', async () => {
    const primary = await startPostgres();
    onTestFinished(() => primary.stop());
    const link = await openLink(primary.port);
    const standby = await startStandby(
      primary,
      `primary_conninfo=host=127.0.0.1 port=${link.port} user=postgres password=${PASSWORD}`,
    );
    onTestFinished(() => standby.stop());
    const gateway = await startGateway({ STATE_STORE: both(primary, standby) });
    onTestFinished(async () => void (await gateway.stop()));
    const [first, last] = [await login(gateway.url), await login(gateway.url)];
    await postForm(`${gateway.url}/token/revoke`, { token: first.access });
    await expect
      .poll(() => standby.sql('SELECT count(*)::int AS n FROM signet.revocation'))
      .toEqual([{ n: 1 }]);
    // From now on it gets nothing more.
    link.cut();
    await postForm(`${gateway.url}/token/revoke`, { token: last.access });
    expect(await custom(gateway.url, last.access)).toBe('401 token_revoked');
    await primary.kill();
    await standby.sql('SELECT pg_promote()');
    await expect
      .poll(() => standby.sql('SELECT count(*)::int AS n FROM signet.revocation'))
      .toEqual([{ n: 2 }]);
    for (const { access } of [first, last])
      expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  }, 120_000);
});

describe.skipIf(withoutPostgres)('gateways with a PostgreSQL', () => {
  let backend: Backend;
  let keys: string;
  let postgres: PostgresServer;
  beforeAll(async () => {
    backend = await startSessionBackend();
    keys = writeKeys([await generateJwk('HS256', 'sim2')]);
    postgres = await startPostgres();
  });
  afterAll(() => Promise.all([backend.stop(), postgres.stop()]));
  const start = async (STATE_STORE = postgres.url): Promise<GatewayProcess> => {
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      REFRESH_BACKEND_PATH: '/refresh.json',
      STATE_STORE,
    });
    onTestFinished(async () => void (await gateway.stop()));
    return gateway;
  };

  it('see at once what another one revokes', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const times: number[] = [];
    for (let round = 0; round < 10; round++) {
      const { access } = await login(one.url);
      expect(await custom(other.url, access)).toBe('200');
      await postForm(`${one.url}/token/revoke`, { token: access });
      const began = performance.now();
      await expect.poll(() => custom(other.url, access), { interval: 5 }).toBe('401 token_revoked');
      times.push(performance.now() - began);
    }
    const median = times.toSorted((a, b) => a - b)[5] ?? 0;
    figure(`PostgreSQL: a revocation is seen by another gateway after ${median.toFixed(0)} ms`);
    // Sooner than a poll: those are 500 ms apart.
    expect(median).toBeLessThan(400);
  });

  it('go on when it hangs, and do nothing in secret', async () => {
    const { url } = await start();
    const [good, bad] = [await login(url), await login(url)];
    expect((await postForm(`${url}/token/revoke`, { token: bad.access })).status).toBe(200);
    const stopped = await stopBackends(postgres);
    expect(await custom(url, good.access)).toBe('200');
    expect(await custom(url, bad.access)).toBe('401 token_revoked');
    expect((await call(`${url}/token`, { method: 'POST' })).status).toBe(200);
    const held = await refresh(url, good.refresh);
    expect(verdictOf(held)).toBe('503 state_unavailable');
    expect(held.ms).toBeLessThan(10_000);
    stopped.resume();
    await expect.poll(async () => verdictOf(await refresh(url, good.refresh))).toBe('200');
  });

  it('leave a server behind that stands still when another one takes over its name', async () => {
    const old = await startPostgres();
    onTestFinished(() => old.stop());
    const heir = await startStandby(old);
    onTestFinished(() => heir.stop());
    const link = await openLink(old.port);
    const gateway = await start(
      `postgres://postgres:${PASSWORD}@127.0.0.1:${link.port},127.0.0.1:${heir.port}/postgres`,
    );
    const pair = await login(gateway.url);
    const next = pairOf(await refresh(gateway.url, pair.refresh));
    link.loseAnswers();
    await expect
      .poll(() => heir.sql('SELECT count(*)::int AS n FROM signet.consumed'))
      .toEqual([{ n: 1 }]);
    await heir.sql('SELECT pg_promote()');
    await expect
      .poll(async () => verdictOf(await refresh(gateway.url, next.refresh)), { interval: 100 })
      .toBe('200');
    expect(verdictOf(await refresh(gateway.url, pair.refresh))).toBe('400 refresh_token_reused');
  }, 120_000);
});

describe.skipIf(withoutPostgres)('a PostgreSQL over TLS', () => {
  const authority = createCertificate('Test CA');
  const { cert, key } = createCertificate('postgres.test', authority.authority);
  let postgres: PostgresServer;
  let ca: string;
  beforeAll(async () => {
    const folder = tempFolder('postgres-tls');
    ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.cert);
    postgres = await startPostgres();
    const { uid, gid } = statSync(postgres.directory);
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      writeFileSync(join(postgres.directory, name), text, { mode: 0o600 });
      chownSync(join(postgres.directory, name), uid, gid);
    }
    await postgres.sql('ALTER SYSTEM SET ssl = on');
    await postgres.sql('SELECT pg_reload_conf()');
  });
  afterAll(() => postgres.stop());
  const url = (parameters: string, host = '127.0.0.1'): string =>
    `${postgres.url.replace('127.0.0.1', host)}?${parameters}`;

  it('is used by who knows the CA, and checks name and address', async () => {
    for (const mode of ['verify-full', 'verify-ca']) {
      const store = await openStore(url(`sslmode=${mode}&sslrootcert=${ca}`));
      await store.addRevocation(revocation());
      await store.close();
    }
    await expect(openStore(url('sslmode=verify-full'))).rejects.toThrow(/certificate/);
    await expect(openStore(url('sslmode=verify-ca'))).rejects.toThrow(/certificate/);
    await expect(openStore(url(`sslrootcert=${ca}`, 'localhost'))).rejects.toThrow(/altnames/);
    const store = await openStore(url(`sslmode=verify-ca&sslrootcert=${ca}`, 'localhost'));
    await store.close();
    const unchecked = await openStore(url('sslmode=require'));
    await unchecked.close();
    const rows = await postgres.sql('SELECT count(*)::int AS n FROM signet.revocation');
    expect(rows).toEqual([{ n: 2 }]);
  });
});
