import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { generateJwk } from './helpers/issuers/keys.js';
import { tempFolder } from './helpers/run/resources.js';
import { keySet, signingKid, until, withState, type Jwk } from './helpers/issuers/rotation.js';

describe('a broken key file', () => {
  let gateway: Gateway;
  let path: string;
  let good: string;
  let key: Jwk;

  beforeAll(async () => {
    path = join(tempFolder('reload'), 'keys.json');
    key = await generateJwk('HS256', 'k1');
    good = keySet(key);
    writeFileSync(path, good, { mode: 0o600 });
    gateway = await hostGateway({ SIGNER_KID: 'k1', SIGNER_JWK_LOCAL_PATH: path });
  });

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
    ['with a weak key', () => keySet({ ...key, k: secret().slice(0, 20) })],
    ['with a kid twice', () => keySet(key, key)],
    ['without the signing key', () => keySet({ ...key, kid: 'other' })],
    ['with another algorithm', () => keySet({ ...key, alg: 'HS512' })],
    ['deleted', () => undefined],
  ])('leaves the last good keys in use: %s', async (_name, make) => {
    const text = make();
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text, { mode: 0o600 });
    await until(async () => (await staleSeconds()) > 0);
    expect(await signingKid(gateway)).toBe('k1');
    expect(await statusOf('/health/ready')).toBe(200);

    writeFileSync(path, good, { mode: 0o600 });
    await until(async () => (await staleSeconds()) === 0);
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
    writeFileSync(path, keySet({ ...key, kid: 'other' }), { mode: 0o600 });
    // The other gateway has noticed: time enough has passed for this one, too.
    await until(async () => (await staleSeconds()) > 0);
    expect(still.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await still.stop();
    writeFileSync(path, good, { mode: 0o600 });
  });

  it.each([
    ['that others can change', 0o666, 0o700],
    ['in a folder that everybody can write', 0o600, 0o777],
  ])('is not followed in production: a key %s', async (_what, mode, folderMode) => {
    const folder = tempFolder('exposed');
    const file = join(folder, 'keys.json');
    writeFileSync(file, good, { mode: 0o600 });
    const live = await hostGateway({
      NODE_ENV: 'production',
      BACKEND_HOST: 'http://127.0.0.1:1',
      SIGNER_KID: 'k1',
      SIGNER_JWK_LOCAL_PATH: file,
    });
    const stale = async (): Promise<boolean> =>
      /signet_keyset_stale_seconds\{[^}]*\} [1-9]/.test(await live.metrics());
    chmodSync(folder, folderMode);
    writeFileSync(`${file}.new`, keySet({ ...key, alg: 'HS256', k: secret().replace(/^./, 'B') }));
    chmodSync(`${file}.new`, mode);
    renameSync(`${file}.new`, file);
    await until(stale);
    expect(live.log().map(({ msg }) => String(msg))).toContainEqual(
      expect.stringMatching(/chmod (?:600|o-w)/),
    );
    await live.stop();
  });
});

describe('key states', () => {
  it('decide what signs, what verifies and what is published', async () => {
    const path = join(tempFolder('states'), 'keys.json');
    const [next, active, old, gone] = (await Promise.all(
      ['next', 'active', 'old', 'gone'].map((kid) => generateJwk('ES256', kid)),
    )) as [Jwk, Jwk, Jwk, Jwk];
    const write = (...keys: Jwk[]): void => {
      writeFileSync(`${path}.new`, keySet(...keys), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    };
    write(withState(old, 'active'));
    const gateway = await hostGateway({
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
    await until(async () => (await signingKid(gateway)) === 'active');
    expect(await status(oldToken)).toBe(200);
    expect(await published()).toEqual(['next', 'active', 'old']);
    // Retired, or past its time: refused at once.
    write(withState(active, 'active'), withState(old, 'retired'));
    await until(async () => (await status(oldToken)) === 401);
    expect(await published()).toEqual(['active']);
    const expired = { state: 'verifying', not_after: Math.floor(Date.now() / 1000) - 1 };
    write(withState(active, 'active'), { ...old, signet: expired });
    await until(async () => (await published()).length === 2);
    expect(await status(oldToken)).toBe(401);
  });
});
