// The file of a SQLite store is lost under running gateways, and is restored from a backup: nothing that was
// confirmed is lost.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSignet } from '../helpers/gateway/cli.js';
import { startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { call } from '../helpers/network/http.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { bash, blocksOf } from '../helpers/pages/manual.js';
import { tempFolder } from '../helpers/run/resources.js';
import {
  custom,
  login,
  postForm,
  refresh,
  startSessionBackend,
  verdictOf,
} from '../helpers/sessions/sessions.js';

it('a backup that is restored loses nothing that was confirmed', async () => {
  const backend = await startSessionBackend();
  onTestFinished(() => backend.stop());
  const keys = writeKeys([await generateJwk('HS256', 'sim2')]);
  const folder = tempFolder('state');
  const file = join(folder, 'signet.db');
  const start = async (): Promise<GatewayProcess> => {
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      REFRESH_BACKEND_PATH: '/refresh.json',
      REFRESH_RETRY_WINDOW: '0',
      SIGNER_ACCESS_TTL: '3600',
      STATE_STORE: `sqlite:${file}`,
    });
    onTestFinished(async () => void (await gateway.stop()));
    return gateway;
  };
  const state = async (command: string): Promise<void> => {
    const store = ['--store', `sqlite:${file}`];
    const { result } = startSignet(['state', command, 'backup.db', ...store], { cwd: folder });
    expect(await result).toMatchObject({ code: 0, stderr: '' });
  };

  const gateways = [await start(), await start()];
  const [{ url }] = gateways as [GatewayProcess];
  const used = await Promise.all([1, 2, 3, 4, 5].map(() => login(url)));
  for (const pair of used) expect((await refresh(url, pair.refresh)).status).toBe(200);

  // Revocations go on all the time, at both.
  const revoked: string[] = [];
  const refused = new Set<number>();
  const going = new AbortController();
  const clients = gateways.map(async (gateway) => {
    while (!going.signal.aborted) {
      const { access } = await login(gateway.url);
      const answer = await postForm(`${gateway.url}/token/revoke`, { token: access });
      if (answer.status === 200) revoked.push(access);
      else refused.add(answer.status);
    }
  });
  const more = async (count: number): Promise<void> => {
    const from = revoked.length;
    await expect.poll(() => revoked.length, { interval: 10 }).toBeGreaterThan(from + count);
  };
  await more(20);
  await state('backup');
  await more(20);
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  // The gateways notice, and begin another one.
  await expect.poll(() => existsSync(file), { interval: 10 }).toBe(true);
  await more(5);
  await state('restore');
  await more(20);
  going.abort();
  await Promise.all(clients);
  expect([...refused].filter((status) => status !== 503)).toEqual([]);

  const all = [...gateways, await start()];
  await expect
    .poll(async () => (await call(`${all[2]?.url}/health/ready`)).status, { interval: 50 })
    .toBe(200);
  for (const gateway of all) {
    const accepted = async (): Promise<string[]> => {
      const verdicts = await Promise.all(revoked.map((token) => custom(gateway.url, token)));
      return verdicts.filter((verdict) => verdict !== '401 token_revoked');
    };
    await expect.poll(accepted).toEqual([]);
  }
  for (const pair of used)
    expect(verdictOf(await refresh(all[2]?.url ?? '', pair.refresh))).toBe(
      '400 refresh_token_reused',
    );

  // The same with nobody there who could remember.
  const [script] = blocksOf('production', 'SQLite', 'bash');
  const [backUp = '', restore = ''] = script.trim().split('\n');
  await bash(backUp, { STATE_STORE: `sqlite:${file}` }, folder);
  for (const gateway of all) await gateway.stop();
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  await bash(restore, { STATE_STORE: `sqlite:${file}` }, folder);
  const later = await start();
  await expect
    .poll(async () => (await call(`${later.url}/health/ready`)).status, { interval: 50 })
    .toBe(200);
  for (const token of revoked) expect(await custom(later.url, token)).toBe('401 token_revoked');
}, 120_000);
