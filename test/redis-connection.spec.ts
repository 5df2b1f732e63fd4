import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  openStore,
  StateReadOnlyException,
  StateUnavailableException,
  type StateStore,
} from '../src/state/index.js';
import { parseRedisUrl } from '../src/state/redis/redis-url.js';
import { createCertificate } from './helpers/network/certificate.js';
import { limit } from './helpers/run/faults.js';
import { freePort } from './helpers/run/free-port.js';
import { openLink } from './helpers/network/network-link.js';
import {
  startRedis,
  startRelay,
  startSentinel,
  withoutRedis,
  type RedisServer,
} from './helpers/stores/redis.js';
import { kill, tempFolder } from './helpers/run/resources.js';
import { anyUse, revocation } from './helpers/stores/store-contract.js';

const PRODUCTION = readFileSync('docs/production.md', 'utf8');

async function open(url: string): Promise<StateStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}
async function start(...options: string[]): Promise<RedisServer> {
  const server = await startRedis(...options);
  onTestFinished(() => server.stop());
  return server;
}
/** What the store takes for its condition, after it has looked. */
async function condition(store: StateStore): Promise<string> {
  try {
    await store.changes(undefined, 10);
    return store.readOnly ?? 'writable';
  } catch (error) {
    return (error as { details?: { explanation?: string } }).details?.explanation ?? String(error);
  }
}
const writable = async (store: StateStore, ms = 5000): Promise<void> => {
  await expect
    .poll(() => condition(store), { timeout: limit(ms, 20_000), interval: 50 })
    .toBe('writable');
};

describe.skipIf(withoutRedis)('the connection to Redis', () => {
  it('comes back when a server stalls and another takes over behind the same name', async () => {
    const [stalled, other] = await Promise.all([start(), start()]);
    const relay = await startRelay(stalled.port);
    const store = await open(`redis://127.0.0.1:${relay.port}`);
    const entry = revocation();
    await store.addRevocation(entry);
    stalled.process().kill('SIGSTOP');
    await expect(store.changes(undefined, 10)).rejects.toThrow(StateUnavailableException);
    relay.to(other.port);
    await writable(store);
    // Another process, so other data: whoever followed the first one has to begin anew.
    await other.command('FLUSHALL');
    await store.addRevocation(entry);
    expect((await other.command('HLEN', 'signet:{state}:entries')) as number).toBe(1);
  });

  it('comes back when a connection that looks alive carries nothing any more', async () => {
    const server = await start();
    const relay = await startRelay(server.port);
    const store = await open(`redis://127.0.0.1:${relay.port}`);
    relay.silence();
    await writable(store);
    expect(store.readOnly).toBeUndefined();
  });

  it('comes back from a server that accepts connections and says nothing', async () => {
    const server = await start();
    const relay = await startRelay(server.port);
    const store = await open(`redis://127.0.0.1:${relay.port}`);
    const dumb = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => void dumb.close());
    await expect.poll(() => dumb.listening).toBe(true);
    relay.to((dumb.address() as AddressInfo).port);
    relay.cut();
    await expect.poll(() => condition(store)).toMatch(/no answer within 2000 ms/);
    relay.to(server.port);
    await writable(store);
  });

  it('follows the primary when its server becomes a replica and keeps its connections', async () => {
    const [demoted, promoted] = await Promise.all([start(), start()]);
    const relay = await startRelay(demoted.port);
    const store = await open(`redis://127.0.0.1:${relay.port}`);
    const entry = revocation();
    await store.addRevocation(entry);
    await demoted.command('REPLICAOF', '127.0.0.1', String(promoted.port));
    // Both have to be the same before it is a replica that answers.
    await expect
      .poll(() => condition(store), { timeout: 10_000 })
      .toMatch(/READONLY|it is a replica/);
    await expect(store.addRevocation(revocation())).rejects.toThrow(StateReadOnlyException);
    expect((await store.changes(undefined, 10)).restarted).toBe(false);
    relay.to(promoted.port);
    await writable(store, 2000);
    await store.addRevocation(entry);
    expect(await promoted.command('HLEN', 'signet:{state}:entries')).toBe(1);
  });

  it('lets the old connection answer what it was asked when a better one takes its place', async () => {
    const [server, other] = await Promise.all([start(), start()]);
    const link = await openLink(server.port);
    const store = await open(`redis://127.0.0.1:${link.port}`);
    await server.command('REPLICAOF', '127.0.0.1', String(other.port));
    await expect
      .poll(() => condition(store), { timeout: 10_000 })
      .toMatch(/READONLY|it is a replica/);
    link.delay(50);
    const asking = new AbortController();
    const failures: unknown[] = [];
    const questions = Array.from({ length: 5 }, async () => {
      while (!asking.signal.aborted)
        await store.peek(anyUse()).catch((error: unknown) => failures.push(error));
    });
    await server.command('REPLICAOF', 'NO', 'ONE');
    await writable(store);
    asking.abort();
    await Promise.all(questions);
    expect(failures).toEqual([]);
  });

  it('is refused by a server that may evict, later, too, and taken again when it does not', async () => {
    const server = await start();
    const store = await open(server.url);
    await server.command('CONFIG', 'SET', 'maxmemory', '100mb');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await expect.poll(() => condition(store)).toMatch(/allkeys-lru would drop/);
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await writable(store);
  });

  it('says that a Sentinel is none', async () => {
    const server = await start();
    const { port, child } = await startSentinel(server.port);
    await expect(openStore(`redis://127.0.0.1:${port}`)).rejects.toThrow(/redis\+sentinel:/);
    const unknown = openStore(`redis+sentinel://127.0.0.1:${port}/other`);
    await expect(unknown).rejects.toThrow(/knows no primary 'other'/);
    await kill(child);
    const alone = openStore(`redis+sentinel://127.0.0.1:${port},127.0.0.1:1/main`);
    await expect(alone).rejects.toThrow(/not known: 127\.0\.0\.1:\d+ .*ECONNREFUSED.*; .*:1 /);
  });

  it('does not take a server whose data a much newer version has written', async () => {
    const server = await start();
    const store = await open(server.url);
    await server.command('SET', 'signet:{state}:schema', '99');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await expect.poll(() => condition(store)).toMatch(/schema 99/);
    await expect(openStore(server.url)).rejects.toThrow(/schema 99/);
  });
});

describe('the URLs of the documentation', () => {
  it('can be read', () => {
    const urls = PRODUCTION.match(/^redis\S*:\/\/\S+$/gm) ?? [];
    expect(urls.map((url) => parseRedisUrl(url).kind)).toEqual([
      'server',
      'server',
      'sentinel',
      'cluster',
    ]);
  });
});

describe.skipIf(withoutRedis)('a user with the rules of the documentation', () => {
  it('does everything, without INFO', async () => {
    const server = await start();
    const [command = ''] = /^ACL SETUSER .*$/m.exec(PRODUCTION) ?? [];
    await server.command(...command.replace('>password', '>s3cret').split(' '));
    const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const store = await open(server.url.replace('//', '//signet:s3cret@'));
    expect(warned.mock.calls).toEqual([[expect.stringMatching(/may not run INFO/)]]);
    const entry = revocation();
    await store.addRevocation(entry);
    const { cursor, added } = await store.changes(undefined, 10);
    expect(added).toEqual([entry]);
    expect(await store.changes(cursor, 10)).toMatchObject({ restarted: false, added: [] });
    expect(await store.consume(anyUse())).toEqual({ state: 'fresh' });
    expect(await store.putIfAbsent(randomUUID(), 'x', 1000)).toBe('x');
    expect(await store.hit('x', 1000)).toMatchObject({ hits: 1 });
    // Nobody knows whether it is the same process, but its last entry is the one that was seen.
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await writable(store);
    expect(await store.changes(cursor, 10)).toMatchObject({ restarted: false, added: [] });
  });
});

describe.skipIf(withoutRedis)('a Redis that asks for certificates', () => {
  const folder = tempFolder('redis-tls');
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const authority = createCertificate('Test CA');
  const issued = (name: string): { cert: string; key: string } => {
    const { cert, key } = createCertificate(name, authority.authority);
    return { cert: file(`${name}.pem`, cert), key: file(`${name}.key`, key) };
  };
  const ca = file('ca.pem', authority.cert);
  const [ours, theirs] = [issued('gateway.test'), issued('redis.test')];
  let port: number;
  let redis: RedisServer;
  beforeAll(async () => {
    port = await freePort();
    const files = ['--tls-cert-file', theirs.cert, '--tls-key-file', theirs.key];
    const tls = ['--tls-port', String(port), '--tls-ca-cert-file', ca, '--tls-auth-clients', 'yes'];
    redis = await startRedis(...files, ...tls);
  });
  afterAll(() => redis?.stop());

  it('gets ours, and is believed by a private authority only', async () => {
    const mine = `tls_cert=${ours.cert}&tls_key=${ours.key}`;
    const store = await open(`rediss://127.0.0.1:${port}?tls_ca=${ca}&${mine}`);
    await store.addRevocation(revocation());
    // A name that DNS does not know, or an address that a Sentinel names.
    const named = await open(`rediss://localhost:${port}?tls_ca=${ca}&${mine}&tls_name=redis.test`);
    expect((await named.changes(undefined, 10)).added).toHaveLength(1);
    for (const [query, reason] of [
      [`tls_ca=${ca}`, /./],
      [mine, /self-signed certificate in certificate chain/],
      [`tls_ca=${ca}&${mine}&tls_name=other.test`, /does not match/],
      [`tls_ca=${join(folder, 'none.pem')}`, /ENOENT/],
    ] as const)
      await expect(openStore(`rediss://127.0.0.1:${port}?${query}`)).rejects.toThrow(reason);
  });
});

describe.skipIf(withoutRedis)('a Redis that takes no writes', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  const set = (name: string, value: string): Promise<unknown> =>
    server.command('CONFIG', 'SET', name, value);

  const CASES: [string, RegExp, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['has no memory left', /^OOM /, () => set('maxmemory', '1'), () => set('maxmemory', '0')],
    [
      'cannot save',
      /^MISCONF /,
      async () => {
        await set('save', '3600 1');
        const [, folder] = (await server.command('CONFIG', 'GET', 'dir')) as [string, string];
        rmSync(folder, { recursive: true });
        await server.command('BGSAVE');
        await expect
          .poll(() => server.command('INFO', 'persistence'))
          .toMatch(/rdb_last_bgsave_status:err/);
      },
      () => set('stop-writes-on-bgsave-error', 'no'),
    ],
    [
      'has too few replicas',
      /^NOREPLICAS /,
      () => set('min-replicas-to-write', '1'),
      () => set('min-replicas-to-write', '0'),
    ],
    [
      'is a replica',
      /^READONLY |^it is a replica/,
      // Of nobody: it keeps its data.
      () => server.command('REPLICAOF', '127.0.0.1', '1'),
      () => server.command('REPLICAOF', 'NO', 'ONE'),
    ],
  ];

  it.each(CASES)(
    'is read when it %s, and takes writes later',
    async (_what, reason, begin, end) => {
      const store = await open(server.url);
      const [entry, use] = [revocation(), anyUse()];
      await store.addRevocation(entry);
      const { cursor } = await store.changes(undefined, 1000);
      await begin();
      expect(await condition(store)).toMatch(reason);
      expect(await store.changes(cursor, 10)).toMatchObject({ restarted: false, more: false });
      expect(await store.peek(use)).toEqual({ state: 'fresh' });
      expect(await store.listRevocations({ limit: 1000 })).toContainEqual(entry);
      for (const write of [
        () => store.addRevocation(revocation()),
        () => store.consume(use),
        () => store.putIfAbsent(randomUUID(), 'x', 1000),
        () => store.noteExpiry(253_402_300_000 + Math.random()),
      ])
        await expect(write()).rejects.toThrow(StateReadOnlyException);
      // Whoever comes only now reads as well, and is told.
      const later = await open(server.url);
      expect((await later.changes(undefined, 1000)).added).toContainEqual(entry);
      expect(later.readOnly).toMatch(reason);
      await end();
      await writable(store);
      await writable(later);
      // What was refused has not happened.
      expect(await store.consume(use)).toEqual({ state: 'fresh' });
    },
  );
});
