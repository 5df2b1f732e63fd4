import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from './helpers/gateway.js';
import { generateJwk, part } from './helpers/keys.js';

type Jwk = Record<string, unknown>;
const USABLE_WITHIN_MS = 2000;

async function until(condition: () => Promise<boolean>, withinMs: number): Promise<number> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

const withState = (jwk: Jwk, state: string): Jwk => ({ ...jwk, signet: { state } });
const set = (...keys: Jwk[]): string => JSON.stringify({ keys });

/** Signs and validates without a pause until it is stopped; tells what failed. */
function load(gateway: Gateway) {
  const stopped = new AbortController();
  let requests = 0;
  const failures: string[] = [];
  const worker = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const answer = await fetch(`${gateway.url}/token`, { method: 'POST' });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      if (answer.status !== 200) failures.push(`token ${answer.status}`);
      const custom = await fetch(`${gateway.url}/private/custom`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (custom.status !== 200) failures.push(`custom ${custom.status} ${await custom.text()}`);
      else await custom.arrayBuffer();
      requests += 2;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const workers = [worker(), worker()];
  return async (): Promise<{ requests: number; failures: string[] }> => {
    stopped.abort();
    await Promise.all(workers);
    return { requests, failures };
  };
}

const signingKid = async (gateway: Gateway): Promise<unknown> => {
  const answer = await fetch(`${gateway.url}/token`, { method: 'POST' });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return part(token, 0).kid;
};

describe('rotation under load', () => {
  let directory: string;
  let gateway: Gateway;
  let current: Jwk;

  const start = async (path: string): Promise<void> => {
    gateway = await startGateway({ SIGNER_KID: 'auto', SIGNER_JWK_LOCAL_PATH: path });
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'signet-reload-'));
    current = await generateJwk('HS256', randomUUID());
  });
  afterEach(async () => {
    await gateway.stop();
    rmSync(directory, { recursive: true });
  });

  /** 50 new keys, each by `write`; the one before goes on verifying. */
  const rotate = async (write: (text: string, round: number) => void): Promise<number[]> => {
    const times: number[] = [];
    for (let round = 1; round <= 50; round++) {
      const previous = current;
      current = await generateJwk('HS256', randomUUID());
      write(set(withState(current, 'active'), withState(previous, 'verifying')), round);
      const isUsed = async (): Promise<boolean> => (await signingKid(gateway)) === current.kid;
      times.push(await until(isUsed, USABLE_WITHIN_MS));
    }
    return times;
  };
  const report = (how: string, times: number[], requests: number, failed: number): void =>
    console.log(
      `50 rotations ${how}: ${requests} requests, ${failed} failed (criterion 0); ` +
        `new key used after at most ${Math.round(Math.max(...times))} ms (criterion ${USABLE_WITHIN_MS})`,
    );

  it('loses no request over 50 renames', async () => {
    const path = join(directory, 'keys.json');
    writeFileSync(path, set(withState(current, 'active')), { mode: 0o600 });
    await start(path);
    const stop = load(gateway);
    const times = await rotate((text) => {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    });
    const { requests, failures } = await stop();
    report('by rename', times, requests, failures.length);
    expect(failures).toEqual([]);
  }, 120_000);

  it('loses no request over 50 swaps of a Kubernetes volume', async () => {
    const swap = (text: string, round: number): void => {
      const version = join(directory, `..${round}`);
      mkdirSync(version);
      writeFileSync(join(version, 'keys.json'), text, { mode: 0o600 });
      symlinkSync(`..${round}`, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
      if (round > 0) rmSync(join(directory, `..${round - 1}`), { recursive: true });
    };
    swap(set(withState(current, 'active')), 0);
    symlinkSync(join('..data', 'keys.json'), join(directory, 'keys.json'));
    await start(join(directory, 'keys.json'));
    const stop = load(gateway);
    const times = await rotate(swap);
    const { requests, failures } = await stop();
    report('by ..data swap', times, requests, failures.length);
    expect(failures).toEqual([]);
  }, 120_000);
});

describe('a broken key file', () => {
  let gateway: Gateway;
  let path: string;
  let good: string;
  let key: Jwk;

  beforeAll(async () => {
    path = join(mkdtempSync(join(tmpdir(), 'signet-reload-')), 'keys.json');
    key = await generateJwk('HS256', 'k1');
    good = set(key);
    writeFileSync(path, good, { mode: 0o600 });
    gateway = await startGateway({ SIGNER_KID: 'k1', SIGNER_JWK_LOCAL_PATH: path });
  });
  afterAll(() => gateway.stop());

  const staleSeconds = async (): Promise<number> =>
    Number(/signet_keyset_stale_seconds\{[^}]*\} (\S+)/.exec(await gateway.metrics())?.[1]);
  const statusOf = async (route: string, method = 'GET'): Promise<number> =>
    (await fetch(`${gateway.url}${route}`, { method })).status;

  const secret = (): string => String(key.k);
  it.each<[string, () => string | undefined]>([
    ['truncated', () => good.slice(0, -20)],
    ['no JSON', () => 'keys'],
    ['empty', () => ''],
    ['without keys', () => '{"keys":[]}'],
    ['an array', () => `[${JSON.stringify(key)}]`],
    ['with a weak key', () => set({ ...key, k: secret().slice(0, 20) })],
    ['with a kid twice', () => set(key, key)],
    ['without the signing key', () => set({ ...key, kid: 'other' })],
    ['with another algorithm', () => set({ ...key, alg: 'HS512' })],
    ['deleted', () => undefined],
  ])('leaves the last good keys in use: %s', async (_name, make) => {
    const text = make();
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text, { mode: 0o600 });
    await until(async () => (await staleSeconds()) > 0, USABLE_WITHIN_MS);
    expect(await signingKid(gateway)).toBe('k1');
    expect(await statusOf('/health/ready')).toBe(200);

    writeFileSync(path, good, { mode: 0o600 });
    await until(async () => (await staleSeconds()) === 0, USABLE_WITHIN_MS);
    expect(await statusOf('/token', 'POST')).toBe(200);
  });

  it('is named in one line each, without any of its keys', async () => {
    await expect
      .poll(() => gateway.log().filter(({ level }) => level === 50).length, { timeout: 5000 })
      .toBeGreaterThanOrEqual(10);
    expect(gateway.output()).not.toContain(secret().slice(0, 12));
    expect(gateway.output()).not.toMatch(/eyJ/);
  });

  it('is not looked at with KEY_RELOAD_INTERVAL_MS=0', async () => {
    const still = await startGateway({
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: path,
      KEY_RELOAD_INTERVAL_MS: '0',
    });
    writeFileSync(path, set({ ...key, kid: 'other' }), { mode: 0o600 });
    // The other gateway has noticed: time enough has passed for this one, too.
    await until(async () => (await staleSeconds()) > 0, USABLE_WITHIN_MS);
    expect(still.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await still.stop();
    writeFileSync(path, good, { mode: 0o600 });
  });
});

describe('key states', () => {
  it('decide what signs, what verifies and what is published', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'signet-states-'));
    const path = join(directory, 'keys.json');
    const [next, active, old, gone] = (await Promise.all(
      ['next', 'active', 'old', 'gone'].map((kid) => generateJwk('ES256', kid)),
    )) as [Jwk, Jwk, Jwk, Jwk];
    const write = (...keys: Jwk[]): void => {
      writeFileSync(`${path}.new`, set(...keys), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    };
    write(withState(old, 'active'));
    const gateway = await startGateway({
      SIGNER_ALG: 'ES256',
      SIGNER_KID: 'auto',
      SIGNER_JWK_LOCAL_PATH: path,
    });
    const token = async (): Promise<string> => {
      const answer = await fetch(`${gateway.url}/token`, { method: 'POST' });
      return ((await answer.json()) as { access_token: string }).access_token;
    };
    const status = async (bearer: string): Promise<number> =>
      (
        await fetch(`${gateway.url}/private/custom`, {
          headers: { authorization: `Bearer ${bearer}` },
        })
      ).status;
    const published = async (): Promise<unknown[]> => {
      const answer = await fetch(`${gateway.url}/.well-known/jwks.json`);
      return ((await answer.json()) as { keys: Jwk[] }).keys.map(({ kid }) => kid);
    };

    const oldToken = await token();
    write(
      withState(next, 'pending'),
      withState(active, 'active'),
      withState(old, 'verifying'),
      withState(gone, 'retired'),
    );
    await until(async () => (await signingKid(gateway)) === 'active', USABLE_WITHIN_MS);
    expect(await status(oldToken)).toBe(200);
    expect(await published()).toEqual(['next', 'active', 'old']);
    // Retired, or past its time: refused at once.
    write(withState(active, 'active'), withState(old, 'retired'));
    await until(async () => (await status(oldToken)) === 401, USABLE_WITHIN_MS);
    expect(await published()).toEqual(['active']);
    const expired = { state: 'verifying', not_after: Math.floor(Date.now() / 1000) - 1 };
    write(withState(active, 'active'), { ...old, signet: expired });
    await until(async () => (await published()).length === 2, USABLE_WITHIN_MS);
    expect(await status(oldToken)).toBe(401);
    await gateway.stop();
    rmSync(directory, { recursive: true });
  });
});
