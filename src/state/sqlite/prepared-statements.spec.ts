import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { getHeapSpaceStatistics } from 'node:v8';
import { afterAll, afterEach, expect, it } from 'vitest';
import { PreparedStatements } from './prepared-statements.js';

const directory = mkdtempSync(join(tmpdir(), 'signet-'));
const opened: DatabaseSync[] = [];
const open = (file = ':memory:'): DatabaseSync => {
  const database = new DatabaseSync(file);
  opened.push(database);
  return database;
};
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('names what a row holds, and counts what was changed', () => {
  const database = open();
  database.exec('CREATE TABLE note (name TEXT, size REAL)');
  const statements = new PreparedStatements(database);
  expect(statements.get('SELECT * FROM note')).toBeUndefined();
  expect(statements.all('SELECT * FROM note')).toEqual([]);
  expect(statements.run('INSERT INTO note VALUES (?1, ?2), (NULL, ?2)', ['a', 1.5])).toBe(2);
  expect(statements.get('SELECT * FROM note')).toEqual({ name: 'a', size: 1.5 });
  expect(statements.all('SELECT name, size * 2 AS twice FROM note')).toEqual([
    { name: 'a', twice: 3 },
    { name: null, twice: 3 },
  ]);
});

it('names the column that another process has added, and not the one that it has removed', () => {
  const file = join(directory, 'notes.db');
  const database = open(file);
  database.exec("CREATE TABLE note (name TEXT); INSERT INTO note VALUES ('a')");
  const statements = new PreparedStatements(database);
  expect(statements.get('SELECT * FROM note')).toEqual({ name: 'a' });
  const other = open(file);
  other.exec("ALTER TABLE note ADD COLUMN nonce TEXT; UPDATE note SET nonce = 'n'");
  expect(statements.get('SELECT * FROM note')).toEqual({ name: 'a', nonce: 'n' });
  other.exec('ALTER TABLE note DROP COLUMN name');
  expect(statements.all('SELECT * FROM note')).toEqual([{ nonce: 'n' }]);
});

it('leaves nothing in the old generation for a row that is no longer used', () => {
  const database = open();
  database.exec("CREATE TABLE note (name TEXT, size REAL); INSERT INTO note VALUES ('a', 1)");
  const statements = new PreparedStatements(database);
  const old = (): number =>
    getHeapSpaceStatistics()
      .filter(({ space_name: name }) => ['old_space', 'map_space'].includes(name))
      .reduce((sum, { space_used_size: size }) => sum + size, 0);
  const growth = (): number => {
    const before = old();
    for (let row = 0; row < 10_000; row++) statements.get('SELECT * FROM note');
    return (old() - before) / 10_000;
  };
  // What else the process does, and collections, count in one or the other round, but not in most of them.
  const rounds = Array.from({ length: 9 }, growth).sort((one, other) => one - other);
  expect(rounds[4]).toBeLessThan(20);
});
