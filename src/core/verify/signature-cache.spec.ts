import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JwsKey } from '../jws/index.js';
import { SignatureCache } from './signature-cache.js';

const key = (kid: string): JwsKey => ({
  kid,
  kty: 'EC',
  crv: 'P-256',
  verifying: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
});

describe('SignatureCache', () => {
  it('knows a token with the key object that verified it, and with no other', () => {
    const cache = new SignatureCache(10);
    const [one, other] = [key('a'), key('a')];
    const id = cache.idOf('x.y.z');
    expect(cache.has(id, one)).toBe(false);
    cache.add(id, one);
    expect([cache.has(id, one), cache.has(id, other)]).toEqual([true, false]);
    cache.add(id, other);
    expect([cache.has(id, one), cache.has(id, other)]).toEqual([false, true]);
  });

  it('tells tokens apart by each of their characters', () => {
    const cache = new SignatureCache(10);
    const ids = ['x.y.z', 'x.y.Z', 'x.y.z=', 'x.y', ' x.y.z'].map((token) => cache.idOf(token));
    expect(new Set(ids).size).toBe(5);
  });

  it('forgets the oldest ones', () => {
    const cache = new SignatureCache(3);
    const own = key('a');
    for (const id of ['1', '2', '3', '1', '4']) cache.add(id, own);
    expect(['1', '2', '3', '4'].map((id) => cache.has(id, own))).toEqual([true, false, true, true]);
  });
});
