import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type StateStore } from '../../src/state/index.js';
import { createCertificate } from '../helpers/network/certificate.js';
import { limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway } from '../helpers/gateway/gateway.js';
import {
  startCluster,
  startSentinels,
  withoutRedis,
  type RedisCluster,
  type RedisServer,
} from '../helpers/stores/redis.js';
import { tempFolder } from '../helpers/run/resources.js';
import { custom, login, postForm, refresh, verdictOf } from '../helpers/sessions/sessions.js';
import {
  allChanges,
  describeSharedStore,
  describeStore,
  anyUse,
  revocation,
  untilWritable,
} from '../helpers/stores/store-contract.js';

async function open(url: string): Promise<StateStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}
/** Resolves once the replicas have what the primary has. */
const replicated = async (server: RedisServer, count: number): Promise<unknown> =>
  server.command('WAIT', String(count), '5000');

describe.skipIf(withoutRedis)('Redis behind Sentinel', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'goes on at the server that is promoted after a %s, with what it has',
    async (signal) => {
      const group = await startSentinels();
      onTestFinished(() => group.stop());
      const gateway = await startGateway({
        STATE_STORE: group.url,
        REFRESH_BACKEND_PATH: '/refresh.json',
      });
      onTestFinished(async () => void (await gateway.stop()));
      const [good, revoked] = [await login(gateway.url), await login(gateway.url)];
      expect(
        (await postForm(`${gateway.url}/token/revoke`, { token: revoked.access })).status,
      ).toBe(200);
      const [before] = group.servers as [RedisServer];
      await replicated(before, 2);
      before.process().kill(signal);

      await expect
        .poll(async () => (await group.primary())?.port, { timeout: 30_000, interval: 20 })
        .not.toBe(before.port);
      const promoted = performance.now();
      // Validation waits for nothing.
      expect(await custom(gateway.url, good.access)).toBe('200');
      await expect
        .poll(async () => verdictOf(await refresh(gateway.url, good.refresh)), {
          timeout: 30_000,
          interval: 50,
        })
        .toBe('200');
      const ms = performance.now() - promoted;
      figure(
        `Sentinel, ${signal}: refreshes ${ms.toFixed(0)} ms after the promotion (criterion 5000)`,
      );
      expect(ms).toBeLessThan(limit(5000, 20_000));
      expect(await custom(gateway.url, revoked.access)).toBe('401 token_revoked');

      // The one of before comes back as a replica, and nobody minds.
      if (signal === 'SIGSTOP') before.process().kill('SIGCONT');
      else await before.start();
      await expect
        .poll(() => before.command('INFO', 'replication'), { timeout: 30_000 })
        .toMatch(/role:slave/);
      const other = await login(gateway.url);
      expect(verdictOf(await refresh(gateway.url, other.refresh))).toBe('200');
      expect(await custom(gateway.url, revoked.access)).toBe('401 token_revoked');
    },
  );

  it('over TLS, for users with few rights: revocations that no replica had come back from the gateways', async () => {
    const folder = tempFolder('sentinel-tls');
    const authority = createCertificate('Test CA');
    const issued = createCertificate('redis.test', authority.authority);
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const tls = {
      ca: file('ca.pem', authority.cert),
      cert: file('cert.pem', issued.cert),
      key: file('key.pem', issued.key),
    };
    const group = await startSentinels({
      tls,
      lines: ['user watcher on >s3cret -@all +sentinel|get-master-addr-by-name'],
    });
    onTestFinished(() => group.stop());
    const [rules = ''] = /^ACL SETUSER .*$/m.exec(readFileSync('docs/production.md', 'utf8')) ?? [];
    const [before, ...replicas] = group.servers as [RedisServer, ...RedisServer[]];
    for (const server of group.servers) {
      await server.command(...rules.replace('>password', '>s3cret').split(' '));
      await server.command(...'ACL SETUSER replica on >s3cret +psync +replconf +ping'.split(' '));
      await server.command('CONFIG', 'SET', 'masteruser', 'replica', 'masterauth', 's3cret');
    }
    const parameters = `tls_ca=${tls.ca}&tls_cert=${tls.cert}&tls_key=${tls.key}&sentinel_username=watcher&sentinel_password=s3cret`;
    const gateway = await startGateway({
      STATE_STORE: `${group.url.replace('//', '//signet:s3cret@')}?${parameters}`,
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
    onTestFinished(async () => void (await gateway.stop()));
    const { url } = gateway;
    const [first, last, used] = [await login(url), await login(url), await login(url)];
    const revoke = (token: string) => postForm(`${url}/token/revoke`, { token });
    expect((await revoke(first.access)).status).toBe(200);
    await replicated(before, 2);

    // From now on the replicas get nothing more, and the primary confirms all the same.
    await before.command('ACL', 'SETUSER', 'replica', 'off');
    await before.command('CLIENT', 'KILL', 'TYPE', 'REPLICA');
    expect((await revoke(last.access)).status).toBe(200);
    expect(verdictOf(await refresh(url, used.refresh))).toBe('200');
    await before.kill();
    await expect
      .poll(async () => (await group.primary())?.port, { timeout: 30_000, interval: 20 })
      .not.toBe(before.port);
    const promoted = performance.now();
    for (const { access } of [first, last])
      expect(await custom(url, access)).toBe('401 token_revoked');
    const heir = (await group.primary()) as RedisServer;
    expect(replicas).toContain(heir);
    await expect
      .poll(() => heir.command('HLEN', 'signet:{state}:entries'), { timeout: 30_000, interval: 50 })
      .toBe(2);
    const ms = performance.now() - promoted;
    for (const { access } of [first, last])
      expect(await custom(url, access)).toBe('401 token_revoked');
    // What docs/production.md says: that a token was used is known to the store alone.
    const again = verdictOf(await refresh(url, used.refresh));
    expect(['200', '400 refresh_token_reused']).toContain(again);
    figure(
      `Sentinel, TLS and ACL: the revocation that no replica had is given back ${ms.toFixed(0)} ms after the promotion; the refresh token that was used: ${again}`,
    );
    expect(ms).toBeLessThan(limit(5000, 20_000));
  });

  it('takes no writes at a primary that was cut off from its replicas, as min-replicas-to-write says', async () => {
    const group = await startSentinels();
    onTestFinished(() => group.stop());
    const [primary, ...replicas] = group.servers as [RedisServer, ...RedisServer[]];
    await primary.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await primary.command('CONFIG', 'SET', 'min-replicas-max-lag', '2');
    const store = await open(group.url);
    await untilWritable(store);
    for (const replica of replicas) replica.process().kill('SIGSTOP');
    await expect
      .poll(
        async () => {
          // Only a write tells.
          await store.consume(anyUse()).catch(() => undefined);
          return store.readOnly;
        },
        { timeout: 30_000 },
      )
      .toMatch(/^NOREPLICAS /);
    for (const replica of replicas) replica.process().kill('SIGCONT');
    await untilWritable(store);
  });
});

describe.skipIf(withoutRedis)('Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster.stop());

  describeStore('Redis Cluster', () => openStore(cluster.url));
  describeSharedStore('Redis Cluster', () => openStore(cluster.url));

  /** The node that has the keys of the state. */
  const owner = async (): Promise<RedisServer> => {
    for (const server of [...cluster.primaries, ...cluster.replicas])
      try {
        await server.command('GET', 'signet:{state}:schema');
        return server;
      } catch {
        // Another one, or gone.
      }
    throw new Error('no node has the keys');
  };

  it('is found through any node, follows a slot that moves, and goes on after a failover', async () => {
    const replica = cluster.replicas.find(({ port }) => port > 0) as RedisServer;
    const store = await open(`redis+cluster://127.0.0.1:${replica.port}`);
    const other = await open(cluster.url);
    const [entry, use] = [revocation(), anyUse()];
    await store.addRevocation(entry);
    await store.consume(use);

    const from = await owner();
    const to = cluster.primaries.find((server) => server !== from) as RedisServer;
    await moveSlot(from, to);
    expect(await owner()).toBe(to);
    await untilWritable(store);
    await untilWritable(other);
    expect((await allChanges(store)).added).toContainEqual(entry);
    expect(await other.consume(use)).toEqual({ state: 'consumed' });

    await replicated(to, 1);
    await to.kill();
    const ms = Math.max(...(await Promise.all([untilWritable(store), untilWritable(other)])));
    figure(`Cluster: writes ${ms.toFixed(0)} ms after the primary was killed (node timeout 1000)`);
    expect(await other.consume(use)).toEqual({ state: 'consumed' });
    expect((await allChanges(store)).added).toContainEqual(entry);
  });
});

/** Moves the slot of the state as `redis-cli --cluster reshard` does. */
async function moveSlot(from: RedisServer, to: RedisServer): Promise<void> {
  const slot = String(await from.command('CLUSTER', 'KEYSLOT', 'signet:{state}:schema'));
  const [source, target] = [
    String(await from.command('CLUSTER', 'MYID')),
    String(await to.command('CLUSTER', 'MYID')),
  ];
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
  for (;;) {
    const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[];
    if (keys.length === 0) break;
    await from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
  }
  await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', target);
  await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', target);
}
