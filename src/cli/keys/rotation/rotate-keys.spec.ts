import { beforeAll, describe, expect, it } from 'vitest';
import type { JwsAlgorithm } from '../../../core/jws/index.js';
import { KeySet } from '../../../core/keys/index.js';
import { Files } from '../../files.js';
import { Settings } from '../../settings.js';
import { toText, type Jwk, type KeyFileContents } from '../files/key-files.js';
import { createJwk, withLifecycle } from '../material/new-key.js';
import { rotateKeys, type RotationOptions } from './rotate-keys.js';
import { describeRotation } from './rotation-report.js';

const NOW = 1_800_000_000;
const TIMING = { publish: 300, outlive: 3600, every: 0 };

let hs: Jwk, es: Jwk, ed: Jwk, rsa: Jwk;
beforeAll(async () => {
  const algorithms: JwsAlgorithm[] = ['HS256', 'ES256', 'EdDSA', 'RS256'];
  const keys = await Promise.all(algorithms.map((alg) => createJwk(alg, alg.slice(0, 2), 2048)));
  [hs, es, ed, rsa] = keys as [Jwk, Jwk, Jwk, Jwk];
});

const contents = (jwks: readonly Jwk[]): KeyFileContents => ({
  name: 'keys.json',
  set: KeySet.parse(toText(jwks), 'keys.json'),
  jwks,
  members: {},
  encrypted: false,
});
const settingsOf = (env: Record<string, string>): Settings => new Settings(env, new Files('/'));
const rotate = (jwks: readonly Jwk[], options: RotationOptions = {}, env = {}) =>
  rotateKeys(contents(jwks), options, TIMING, settingsOf(env), NOW);

describe('the keys that take turns', () => {
  it('are all keys of a file with one algorithm', async () => {
    for (const [jwk, alg] of [
      [hs, 'HS256'],
      [es, 'ES256'],
      [ed, 'EdDSA'],
    ] as const)
      expect(await rotate([jwk])).toMatchObject({ alg, otherAlgorithms: [] });
  });

  it('are those of SIGNER_ALG and its default, where the file has others, too', async () => {
    expect(await rotate([hs, es])).toMatchObject({ alg: 'HS256', otherAlgorithms: ['ES256'] });
    // If the caller names an algorithm, the others are not reported.
    expect(await rotate([hs, es], {}, { SIGNER_ALG: 'ES256' })).toMatchObject({
      alg: 'ES256',
      otherAlgorithms: [],
    });
    expect(await rotate([hs, es], { alg: 'ES256' })).toMatchObject({
      alg: 'ES256',
      otherAlgorithms: [],
    });
  });

  it('are those of the key that is named, on the command line or by SIGNER_KID', async () => {
    expect((await rotate([hs, es], { kid: 'ES' })).alg).toBe('ES256');
    expect((await rotate([hs, es], {}, { SIGNER_KID: 'ES' })).alg).toBe('ES256');
    expect((await rotate([hs, es], {}, { SIGNER_KID: 'auto' })).alg).toBe('HS256');
    await expect(rotate([hs], { kid: 'none' })).rejects.toThrow(/kid 'none' not found/);
  });

  it('are told with their kids where nobody can know', async () => {
    await expect(rotate([es, ed])).rejects.toThrow(
      'keys.json: its keys serve ES256 (ES), EdDSA (Ed); choose one with --alg, or set SIGNER_ALG',
    );
    const { alg: _alg, ...anyRsa } = rsa;
    await expect(rotate([anyRsa])).rejects.toThrow(/serve RS256 \(RS\), .*PS512 \(RS\); choose/);
    expect((await rotate([anyRsa], {}, { SIGNER_ALG: 'PS384' })).alg).toBe('PS384');
  });

  it('are not ambiguous because Ed25519 has two names (RFC 9864)', async () => {
    const newName = { ...ed, alg: 'Ed25519' };
    const { alg: _alg, ...noName } = ed;
    expect(await rotate([ed])).toMatchObject({ alg: 'EdDSA', otherAlgorithms: [] });
    expect(await rotate([newName])).toMatchObject({ alg: 'Ed25519', otherAlgorithms: [] });
    expect(await rotate([noName])).toMatchObject({ alg: 'EdDSA', otherAlgorithms: [] });
    for (const alg of ['EdDSA', 'Ed25519'])
      expect(await rotate([ed], {}, { SIGNER_ALG: alg })).toMatchObject({
        alg,
        otherAlgorithms: [],
      });
  });

  it('do not count when they are retired or public', async () => {
    const retired = withLifecycle(hs, { state: 'retired' });
    expect(await rotate([retired, es])).toMatchObject({ alg: 'ES256', otherAlgorithms: [] });
    const { d: _d, ...publicOnly } = es;
    await expect(rotate([publicOnly])).rejects.toThrow('keys.json: no key can sign');
  });
});

describe('a rotation', () => {
  it('adds a key like the one that signs, and leaves the others as they are', async () => {
    const { jwks, created, step } = await rotate([hs, rsa], { alg: 'RS256' });
    expect(step).toEqual({ kind: 'prepare', notBefore: NOW + 300 });
    const [first, second, third] = jwks ?? [];
    expect(first).toBe(hs);
    expect(second).toMatchObject({ ...rsa, signet: { state: 'active' } });
    expect(third).toMatchObject({
      kid: created,
      alg: 'RS256',
      signet: { state: 'pending', not_before: NOW + 300 },
    });
    expect(Buffer.from(String(third?.n), 'base64url')).toHaveLength(256);
  });

  it('changes nothing where nothing is due', async () => {
    const jwks = [
      withLifecycle(es, { state: 'active' }),
      withLifecycle(await createJwk('ES256', 'p'), { state: 'pending', notBefore: NOW + 1 }),
    ];
    expect(await rotate(jwks)).toMatchObject({ jwks: undefined, step: { kind: 'wait' } });
    await expect(rotate(jwks, { now: true })).rejects.toThrow(
      "too early: before 2027-01-15T08:00:01Z verifiers may not know 'p' yet",
    );
    expect((await rotate(jwks, { now: true, force: true })).step.kind).toBe('activate');
  });
});

describe('the report of a rotation', () => {
  const report = async (jwks: readonly Jwk[], env: Record<string, string> = {}) =>
    describeRotation(await rotate(jwks, {}, env), settingsOf(env));

  it('says what was done, what comes next, and which keys were meant', async () => {
    const [done, next, note] = await report([hs, es]);
    expect(done).toMatch(/^prepared {3}[\w-]{43}: pending/);
    expect(next).toMatch(/^next {7}activate [\w-]{43}, from 2027-01-15T08:05:00Z on$/);
    expect(note).toBe(
      'note       these are the keys of HS256, the default of SIGNER_ALG; the file has keys of ES256, too: rotate those with --alg',
    );
  });

  it('says what else has to be right', async () => {
    const [, , ...notes] = await report([hs], {
      SIGNER_KID: 'HS',
      VALIDATOR_JWK_LOCAL_PATH: 'other.json',
      KEY_RELOAD_INTERVAL_MS: '0',
    });
    expect(notes).toEqual([
      'note       the gateway follows the active key only with SIGNER_KID=auto',
      'note       a symmetric key is in no JWKS: whoever verifies its tokens needs this file, before the key signs',
      'note       tokens are verified with other.json, which needs the new key, too',
      'note       KEY_RELOAD_INTERVAL_MS=0: restart the gateway after each step',
    ]);
  });

  it('has no notes where all is right', async () => {
    expect(await report([es], { SIGNER_KID: 'auto' })).toHaveLength(2);
  });
});
