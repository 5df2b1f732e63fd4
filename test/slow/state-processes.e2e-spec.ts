import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/state/index.js';
import { figure } from '../helpers/run/figure.js';
import { startPostgres, withoutPostgres, type PostgresServer } from '../helpers/stores/postgres.js';
import { startRedis, withoutRedis, type RedisServer } from '../helpers/stores/redis.js';
import { allChanges } from '../helpers/stores/store-contract.js';
import { tempFolder, track } from '../helpers/run/resources.js';

let redis: RedisServer | undefined;
let postgres: PostgresServer | undefined;
let directory: string;
beforeAll(async () => {
  directory = tempFolder('state');
  if (!withoutRedis) redis = await startRedis();
  if (!withoutPostgres) postgres = await startPostgres();
});
afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));
const stores = (): [string, string][] => [
  ['SQLite', `sqlite:${join(directory, 'shared.db')}`],
  ...(redis === undefined ? [] : [['Redis', redis.url] satisfies [string, string]]),
  ...(postgres === undefined ? [] : [['PostgreSQL', postgres.url] satisfies [string, string]]),
];

interface StoreProcess {
  process: ChildProcess;
  /** Whole lines it wrote since it began. */
  readonly lines: () => string[];
  readonly go: () => void;
}

/** Starts a process that works on a store, up to the point where it waits for the word. */
async function start(url: string, command: string, argument: string): Promise<StoreProcess> {
  const child = track(
    spawn(
      process.execPath,
      [resolve('test/helpers/stores/store-process.mjs'), url, command, argument],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    ),
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child.stdout, 'data');
  return {
    process: child,
    lines: () => text.split('\n').slice(1, -1),
    go: () => void child.stdin.write('go\n'),
  };
}

describe('several processes on one store', () => {
  it('consume a token once', async () => {
    for (const [name, url] of stores()) {
      const jti = randomUUID();
      const processes = await Promise.all(
        Array.from({ length: 4 }, () => start(url, 'consume', jti)),
      );
      const ended = processes.map(({ process: child }) => once(child, 'close'));
      for (const { go } of processes) go();
      await Promise.all(ended);
      const outcomes = processes.flatMap(({ lines }) => lines().join(' ').split(' '));
      expect([name, outcomes.length]).toEqual([name, 200]);
      expect(outcomes.filter((state) => state === 'fresh')).toHaveLength(1);
      expect(outcomes.filter((state) => state === 'consumed')).toHaveLength(199);
    }
  });

  it('lose nothing that was confirmed when one after another is killed', async () => {
    const url = `sqlite:${join(directory, 'killed.db')}`;
    const reader = await openStore(url);
    const confirmed: string[] = [];
    const began = performance.now();
    let rounds = 0;
    while (confirmed.length < 10_000) {
      const writer = await start(url, 'write', '200');
      writer.go();
      await expect.poll(() => writer.lines().length, { interval: 5 }).toBeGreaterThan(700);
      writer.process.kill('SIGKILL');
      await once(writer.process, 'close');
      confirmed.push(...writer.lines());
      rounds++;
    }
    const seconds = (performance.now() - began) / 1000;
    const known = new Set((await allChanges(reader, undefined, 5000)).added.map(({ id }) => id));
    expect(confirmed.filter((id) => !known.has(id))).toEqual([]);
    figure(`${confirmed.length} confirmed, ${rounds} times killed, ${seconds.toFixed(1)} s`);
    await reader.close();
  }, 120_000);
});
