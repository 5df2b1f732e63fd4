import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateJwk, publicHalf, writeKeys } from '../../test/helpers/issuers/keys.js';
import type { KeyProvider } from '../core/keys/index.js';
import { JwkKeyStore } from './jwk-key-store.service.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';

/** Opens key files as they are now, without following them. */
const open = (signing: string, verification?: string): Promise<JwkKeyStore> => {
  const options: JwksModuleOptions = { signing: { path: signing }, reloadIntervalMs: 0 };
  if (verification !== undefined) options.verification = { path: verification };
  return JwkKeyStore.open(options);
};
const ignore = (): void => undefined;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'key_ops'];

describe('JwkKeyStore', () => {
  const warnings: string[] = [];
  beforeEach(() => {
    warnings.length = 0;
    Logger.overrideLogger({
      log: ignore,
      error: ignore,
      warn: (text: unknown) => void warnings.push(String(text)),
    });
  });
  afterEach(() => {
    Logger.overrideLogger(true);
  });

  it('publishes no private member of any key', async () => {
    const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'HS256', 'HS512'];
    const keys = await Promise.all(algorithms.map((alg) => generateJwk(alg, `k-${alg}`)));
    const store = await open(writeKeys(keys));
    const published = store.publicJwks().keys;
    expect(published).toHaveLength(6);
    const names = new Set(published.flatMap((jwk) => Object.keys(jwk)));
    expect(PRIVATE_MEMBERS.filter((name) => names.has(name))).toEqual([]);
    const text = JSON.stringify(published);
    const secrets = keys.flatMap((jwk) => [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi, jwk.k]);
    expect(secrets.filter((value) => value !== undefined && text.includes(value))).toEqual([]);
    expect(text).not.toContain('"oct"');
  });

  it('publishes an empty set when all keys are secrets', async () => {
    const path = writeKeys([await generateJwk('HS256', 'a'), await generateJwk('HS512', 'b')]);
    const store = await open(path);
    expect(store.publicJwks()).toEqual({ keys: [] });
  });

  it('warns of keys that it skips, without the key', async () => {
    const foreign = { kty: 'AKP', kid: 'pq', alg: 'SLH-DSA-1', priv: 'c2VjcmV0LXNlZWQ' };
    const path = writeKeys([foreign, await generateJwk('HS256', 'a')]);
    const store = await open(path);
    expect(store.verificationKeys({ alg: 'HS256', kid: 'pq' })).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/kid 'pq' is skipped/)]);
    expect(warnings.join()).not.toContain(foreign.priv);
    expect(() => store.signingKey('HS256', 'pq')).toThrow(/kid 'pq' is skipped/);
  });

  it('warns once of the keys of another’s set beyond the 200th, and counts each of them', async () => {
    const jwk = publicHalf(await generateJwk('ES256', 'k'));
    const keys = Array.from({ length: 1100 }, (_, index) => ({ ...jwk, kid: `k${index}` }));
    const verification: KeyProvider = {
      source: 'many',
      remote: true,
      publicOnly: true,
      read: () => Promise.resolve({ text: JSON.stringify({ keys }) }),
      watch: () => ignore,
    };
    const store = await JwkKeyStore.open({ verification });
    expect(store.verificationKeys({ alg: 'ES256', kid: 'k199' })).toHaveLength(1);
    expect(store.verificationKeys({ alg: 'ES256', kid: 'k200' })).toEqual([]);
    expect(store.skippedCounts()).toContainEqual({ source: 'many', skipped: 900 });
    expect(warnings).toEqual([expect.stringMatching(/many: there are 1100 keys; .*first 200/)]);
  });

  it('reports every file that cannot be used at once', async () => {
    const opening = open(writeKeys([]), writeKeys([{ kty: 'oct', kid: 'short', k: 'AAAA' }]));
    await expect(opening).rejects.toMatchObject({
      name: 'BootError',
      problems: [
        expect.stringMatching(/there is no key/),
        expect.stringMatching(/kid 'short' has a secret of 3 bytes/),
      ],
    });
  });

  it('says which kids there are when one is missing, and why a key cannot sign', async () => {
    const ec = await generateJwk('ES256', 'ec');
    const verifyOnly = { ...publicHalf(await generateJwk('ES256', 'pub')) };
    const store = await open(writeKeys([ec, verifyOnly]));
    expect(store.signingKey('ES256', 'ec').kid).toBe('ec');
    expect(() => store.signingKey('ES256', 'nope')).toThrow(/'nope' not found.*present: ec, pub/);
    expect(() => store.signingKey('ES256', 'pub')).toThrow(/'pub'.*cannot sign/);
    expect(() => store.signingKey('RS256', 'ec')).toThrow(/RS256 needs a key of type RSA/);
  });

  it('verifies with the verification keys only, once there are any', async () => {
    const ec = await generateJwk('ES256', 'ec');
    const store = await open(
      writeKeys([await generateJwk('HS256', 'hs')]),
      writeKeys([publicHalf(ec)]),
    );
    expect(store.verificationKeys({ alg: 'HS256', kid: 'hs' })).toEqual([]);
    expect(store.verificationKeys({ alg: 'ES256', kid: 'ec' })[0]?.verifying?.type).toBe('public');
    expect(() => store.requireVerification('HS256')).toThrow(/no key in JWK .* can verify HS256/);
    expect(() => store.requireVerification('ES256')).not.toThrow();
    // What is published is what tokens are signed with.
    expect(store.publicJwks()).toEqual({ keys: [] });
  });
});
