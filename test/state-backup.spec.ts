import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, Revocations, type StateStore } from '../src/state/index.js';
import { SCHEMA } from '../src/state/schema.js';
import { outputOf, refusalOf, runSignet, type CommandResult } from './helpers/gateway/cli.js';
import { tempFolder } from './helpers/run/resources.js';
import { allChanges, anyUse, revocation } from './helpers/stores/store-contract.js';

beforeAll(() => Logger.overrideLogger(false));

let folder = '';
beforeEach(() => {
  folder = tempFolder('backup');
});

const state = (...args: string[]): Promise<CommandResult> =>
  runSignet(['state', ...args], { cwd: folder, env: { STATE_STORE: 'sqlite:data/signet.db' } });
const succeed = async (...args: string[]): Promise<string> => {
  const result = await state(...args);
  expect(result.stderr).toBe('');
  return outputOf(result);
};
const refuse = async (...args: string[]): Promise<string> => refusalOf(await state(...args));
const open = async (name = 'data/signet.db'): Promise<StateStore> => {
  const store = await openStore(`sqlite:${join(folder, name)}`);
  onTestFinished(() => store.close());
  return store;
};
const valuesOf = async (store: StateStore): Promise<string[]> =>
  (await allChanges(store)).added.map(({ value }) => value).toSorted();

describe('signet state backup', () => {
  it('writes what an open store holds, in place of the last one, for the owner alone', async () => {
    const store = await open();
    await store.addRevocation(revocation({ value: 'one' }));
    await store.consume(anyUse({}, 'used'));
    expect(await succeed('backup', 'backup.db')).toBe(
      'backup.db: 1 revocations, 1 used refresh tokens, 0 sessions\n',
    );
    await store.addRevocation(revocation({ value: 'two' }));
    expect(await succeed('backup', 'backup.db')).toMatch(/: 2 revocations/);
    expect(statSync(join(folder, 'backup.db')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(['backup.db', 'data']);
    expect(await valuesOf(await open('backup.db'))).toEqual(['one', 'two']);
  });

  it('says why it cannot', async () => {
    expect(await refuse('backup', 'backup.db')).toContain('the store has no file yet');
    await open();
    expect(await refuse('backup', 'nowhere/backup.db')).toContain('ENOENT');
    expect(await refuse('backup', 'b.db', '--store', 'redis://:secret@host')).toMatch(
      /only SQLite .*Redis has a backup of its own/,
    );
    expect(await refuse('backup', 'b.db', '--store', 'postgres://u:secret@host/d')).toContain(
      'pg_basebackup',
    );
    expect(readdirSync(folder)).toEqual(['data']);
  });
});

describe('signet state restore', () => {
  it('makes a store that was lost', async () => {
    const before = await open();
    await before.addRevocation(revocation({ value: 'one', reason: 'left' }));
    await before.consume(anyUse({}, 'used'), { value: 'sealed', ttlMs: 10_000 });
    await before.noteExpiry(4_000_000_000);
    const session = { sid: 's', createdAt: 1, usedAt: 1, expiresAt: 4e9 };
    await before.putSession('owner', session);
    await succeed('backup', 'backup.db');
    expect(await succeed('restore', 'backup.db', '--store', 'sqlite:other/new.db')).toBe(
      'the store has everything of backup.db: 1 revocations, 1 used refresh tokens, 1 sessions\n',
    );
    const after = await open('other/new.db');
    expect((await allChanges(after)).added).toMatchObject([{ value: 'one', reason: 'left' }]);
    // Whoever repeats that request now has stolen the token, or is too late.
    expect(await after.peek(anyUse({}, 'used'))).toEqual({ state: 'consumed' });
    expect(await after.noteExpiry(0)).toBe(4_000_000_000);
    expect(await after.listSessions('owner')).toMatchObject([session]);
  });

  it('adds what is missing under an open store, which keeps what it has', async () => {
    const store = await open();
    const undone = await store.addRevocation(revocation({ value: 'undone' }));
    await store.addRevocation(revocation({ value: 'kept' }));
    await succeed('backup', 'backup.db');
    await store.close();
    for (const name of readdirSync(join(folder, 'data')))
      copyFileSync(join(folder, 'data', name), join(folder, name));
    // Another one, which has begun anew, and one of its gateways.
    const anew = await openStore(`sqlite:${join(folder, 'new.db')}`);
    await anew.addRevocation(undone);
    await anew.removeRevocation(undone.id);
    await anew.addRevocation(revocation({ value: 'new' }));
    const view = await Revocations.open(anew, { longestTokenTtl: 60, pollMs: 10 });
    onTestFinished(() => view.onApplicationShutdown());
    await succeed('restore', 'backup.db', '--store', 'sqlite:new.db');
    await expect.poll(() => view.size, { interval: 10 }).toBe(2);
    expect(await valuesOf(anew)).toEqual(['kept', 'new']);
    // Once more is the same.
    await succeed('restore', 'backup.db', '--store', 'sqlite:new.db');
    expect(await valuesOf(anew)).toEqual(['kept', 'new']);
  });

  it('lets a gateway that starts meanwhile wait for the end', async () => {
    const store = await open();
    await store.addRevocation(revocation({ value: 'one' }));
    await succeed('backup', 'backup.db');
    await succeed('restore', 'backup.db');
    expect(await store.changes(undefined, 10)).toMatchObject({ incomplete: true });
    const view = await Revocations.open(store, { longestTokenTtl: 60, pollMs: 10 });
    onTestFinished(() => view.onApplicationShutdown());
    expect(() => view.assertReady()).toThrow('The state store is not available.');
    await expect.poll(() => view.assertReady(), { interval: 50 }).toBeUndefined();
  });

  it('reads what version 0.1 left', async () => {
    const database = new DatabaseSync(join(folder, 'old.db'));
    database.exec(readFileSync('test/fixtures/state/schema-1.sql', 'utf8'));
    database.close();
    await succeed('restore', 'old.db');
    const store = await open();
    expect(await valuesOf(store)).toEqual(['https://gw k1', 'u-1']);
    expect(await store.peek(anyUse({}, 'sha256:used'))).toEqual({ state: 'consumed' });
  });

  it('refuses what is no backup, and changes nothing then', async () => {
    const store = await open();
    await store.addRevocation(revocation({ value: 'one' }));
    const path = (name: string): string => join(folder, name);
    await succeed('backup', 'backup.db');
    const bytes = readFileSync(path('backup.db'));
    writeFileSync(path('text.db'), 'no database');
    writeFileSync(path('cut.db'), bytes.subarray(0, 8192));
    copyFileSync(path('backup.db'), path('half.db'));
    writeFileSync(path('half.db-wal'), 'x');
    new DatabaseSync(path('other.db')).exec('CREATE TABLE t (x)');
    copyFileSync(path('backup.db'), path('newer.db'));
    new DatabaseSync(path('newer.db')).exec(
      `UPDATE meta SET value = ${SCHEMA + 2} WHERE name = 'schema'`,
    );
    for (const [name, reason] of [
      ['none.db', 'there is no such file'],
      ['text.db', 'not a database'],
      ['cut.db', 'damaged|malformed'],
      ['half.db', 'not written to its end'],
      ['other.db', 'no state of Signet'],
      ['newer.db', `has schema ${SCHEMA + 2}`],
    ] as const)
      expect(await refuse('restore', name)).toMatch(new RegExp(reason));
    expect(await valuesOf(store)).toEqual(['one']);
    expect(await store.changes(undefined, 10)).not.toHaveProperty('incomplete');
  });
});
