import { chmodSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore, StateUnavailableException } from '../src/state/index.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/stores/redis.js';
import {
  allChanges,
  describeSharedStore,
  describeStore,
  describeStoreClock,
  revocation,
} from './helpers/stores/store-contract.js';
import { tempFolder } from './helpers/run/resources.js';

const directory = tempFolder('state');
const sqlite = `sqlite:${join(directory, 'new', 'state.db')}`;

describeStore('memory', () => openStore('memory:'));
describeStore('SQLite', () => openStore(sqlite));
describeSharedStore('SQLite', () => openStore(sqlite));

describe('memory', () => {
  it('keeps a bounded number of values, pushes none out, and has room again once some have ended', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const store = await openStore('memory:');
    const put = (name: string, ttlMs = 60_000): Promise<string> =>
      store.putIfAbsent(name, 'x', ttlMs);
    await put('first');
    for (let i = 1; i < 100_000; i++) await put(`n${i}`, i === 1 ? 1000 : 60_000);
    await expect(put('too many')).rejects.toThrow(StateUnavailableException);
    expect(await store.putIfAbsent('first', 'y', 60_000)).toBe('x');
    vi.setSystemTime(1_800_000_001_000);
    expect(await put('later')).toBe('x');
    await expect(put('too many')).rejects.toThrow(StateUnavailableException);
    expect(await store.putIfAbsent('first', 'y', 60_000)).toBe('x');
    await store.close();
  });
});

describe.skipIf(withoutRedis)('a Redis server', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('has keys whose names tell of nobody', async () => {
    const store = await openStore(redis.url);
    const names = [
      { kind: 'sub', value: 'alice@example.com' },
      { kind: 'sid', value: 'login 5 alice@example.com' },
    ] as const;
    const entries = names.map((name) => revocation(name));
    for (const entry of entries) await store.addRevocation(entry);
    const use = { id: 'sha256:a', expiresAt: 4_102_444_800, subject: { names } };
    expect(await store.peek(use)).toEqual({ state: 'revoked' });
    const keys = async (): Promise<string> =>
      JSON.stringify(await redis.command('KEYS', '*')).toLowerCase();
    expect(await keys()).toContain(':named:');
    expect(await keys()).not.toContain('alice');
    for (const { id } of entries) await store.removeRevocation(id);
    expect(await store.peek(use)).toEqual({ state: 'fresh' });
    expect(await keys()).not.toContain(':named:');
    await store.close();
  });

  describeStore('Redis', () => openStore(redis.url));
  describeSharedStore('Redis', () => openStore(redis.url));
  describeStoreClock('Redis', () => openStore(redis.url));
});

describe('SQLite', () => {
  const open = (name: string) => openStore(`sqlite:${join(directory, name)}`);

  it('keeps everything across a restart', async () => {
    const first = await open('restart.db');
    const entry = revocation({ reason: 'r' });
    await first.addRevocation(entry);
    const { cursor } = await allChanges(first);
    await first.noteExpiry(5);
    await first.close();
    const second = await open('restart.db');
    expect(await second.listRevocations({ limit: 10 })).toEqual([entry]);
    expect(await second.changes(cursor, 10)).toMatchObject({ restarted: false, added: [] });
    expect(await second.noteExpiry(0)).toBe(5);
    await second.close();
  });

  it('shows its files to their owner only', async () => {
    const store = await open('mode/m.db');
    await store.addRevocation(revocation());
    await store.hit('k', 1000);
    const modes = readdirSync(join(directory, 'mode')).map((name) =>
      [name, statSync(join(directory, 'mode', name)).mode & 0o777].join(' '),
    );
    expect(modes.length).toBeGreaterThanOrEqual(4);
    for (const mode of modes) expect(mode).toMatch(/ 384$/);
    await store.close();
  });

  it('says when others can read or change a file that is there, and refuses it where it is told to', async () => {
    if (process.platform === 'win32') return;
    const file = join(directory, 'exposed.db');
    await (await open('exposed.db')).close();
    const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    for (const [mode, exposed] of [
      [0o600, false],
      [0o640, false],
      [0o644, true],
      [0o660, true],
      [0o602, true],
    ] as const) {
      warned.mockClear();
      chmodSync(file, mode);
      await (await openStore(`sqlite:${file}`)).close();
      const text = new RegExp(`exposed\\.db .*mode ${mode.toString(8)}.*chmod 600`);
      expect(warned.mock.calls.map(([line]) => text.test(String(line)))).toEqual(
        exposed ? [true] : [],
      );
      const outcome = await openStore(`sqlite:${file}`, { exposedFiles: 'refuse' }).then(
        (store) => store.close(),
        (error: unknown) => String(error),
      );
      expect(text.test(String(outcome))).toBe(exposed);
      await (await openStore(`sqlite:${file}`, { exposedFiles: 'allow' })).close();
      expect(warned).toHaveBeenCalledTimes(exposed ? 1 : 0);
    }
  });

  it('looks at the folder to which a link leads', async () => {
    if (process.platform === 'win32') return;
    const folder = join(directory, 'everybodys');
    await (await open('everybodys/s.db')).close();
    symlinkSync('everybodys/s.db', join(directory, 'link.db'));
    await (
      await openStore(`sqlite:${join(directory, 'link.db')}`, { exposedFiles: 'refuse' })
    ).close();
    chmodSync(folder, 0o777);
    await expect(
      openStore(`sqlite:${join(directory, 'link.db')}`, { exposedFiles: 'refuse' }),
    ).rejects.toThrow(/the file to which .*link\.db leads can be replaced by everybody/);
  });

  it('fails one operation and not those beside it', async () => {
    const store = await open('batch.db');
    const entries = Array.from({ length: 20 }, () => revocation());
    const outcomes = await Promise.allSettled(
      entries.map((entry, index) =>
        // A value that SQLite cannot take.
        store.addRevocation(index === 10 ? { ...entry, value: null as unknown as string } : entry),
      ),
    );
    expect(outcomes.map(({ status }) => status === 'rejected').indexOf(true)).toBe(10);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect((outcomes[10] as PromiseRejectedResult).reason).toBeInstanceOf(
      StateUnavailableException,
    );
    const kept = entries.filter((_, index) => index !== 10);
    expect(await store.listRevocations({ limit: 100 })).toEqual(kept);
    await store.close();
  });

  it('begins a new history when its file was deleted', async () => {
    const store = await open('deleted.db');
    await store.addRevocation(revocation());
    const { cursor } = await allChanges(store);
    for (const name of readdirSync(directory))
      if (name.startsWith('deleted.db')) rmSync(join(directory, name));
    await expect
      .poll(() => store.changes(cursor, 10))
      .toMatchObject({ restarted: true, added: [] });
    const entry = revocation();
    await store.addRevocation(entry);
    const other = await open('deleted.db');
    expect(await other.listRevocations({ limit: 10 })).toEqual([entry]);
    await Promise.all([store.close(), other.close()]);
  });

  it('finishes what was asked for before it closes, and refuses what comes after', async () => {
    const store = await open('close.db');
    const adding = Promise.all(
      Array.from({ length: 100 }, () => store.addRevocation(revocation())),
    );
    await store.close();
    await adding;
    await expect(store.addRevocation(revocation())).rejects.toThrow(StateUnavailableException);
  });

  it('closes without its file', async () => {
    const store = await open('gone/g.db');
    rmSync(join(directory, 'gone'), { recursive: true });
    writeFileSync(join(directory, 'gone'), '');
    await expect
      .poll(() =>
        store.changes(undefined, 1).then(
          () => 'answers',
          () => 'fails',
        ),
      )
      .toBe('fails');
    await expect(store.close()).resolves.toBeUndefined();
  });

  it('begins no thread after it was closed, which nobody would end', async () => {
    const store = await open('after.db');
    await store.close();
    for (const late of [
      () => store.hit('k', 1000),
      () => store.putIfAbsent('k', 'v', 1000),
      () => store.getKept('k'),
    ])
      await expect(late()).rejects.toThrow(StateUnavailableException);
    expect(readdirSync(directory).filter((name) => name.startsWith('after.db-c'))).toEqual([]);
  });
});
