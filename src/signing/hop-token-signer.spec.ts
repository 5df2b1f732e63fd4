import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HopTokens, type HopUser } from '../http/index.js';
import { HopTokenSigner } from './hop-token-signer.service.js';
import type { JwtSigner } from './jwt-signer.service.js';
import type { SigningModuleOptions } from './signing.module-definition.js';

const sign = vi.fn<JwtSigner['sign']>();
const signer = (options: SigningModuleOptions = { alg: 'ES256', issuer: 'i' }): HopTokenSigner =>
  new HopTokenSigner(options, { sign } as unknown as JwtSigner, new HopTokens());
const REQUEST = { audience: 'b', ttl: 30, claims: [], scopes: ['a'] };
const user = (token: string, claims: object = {}): HopUser => ({
  token,
  claims: { iss: 'i', aud: 'a', exp: 9e9, sub: 'u', ...claims },
  scopesKey: 'scope',
});

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000_000 });
  let count = 0;
  sign.mockReset().mockImplementation(() => `token ${++count}`);
});
afterEach(() => vi.useRealTimers());

describe('HopTokenSigner', () => {
  it('makes one per user, and per kind of call, for half of its life', () => {
    const hops = signer();
    const other = { ...REQUEST };
    const make = () => [
      hops.make(REQUEST, user('x')),
      hops.make(REQUEST, user('y')),
      hops.make(other, user('x')),
      hops.make(REQUEST, undefined),
    ];
    const first = ['token 1', 'token 2', 'token 3', 'token 4'];
    expect([make(), make()]).toEqual([first, first]);
    vi.advanceTimersByTime(14_999);
    expect(make()).toEqual(first);
    vi.advanceTimersByTime(1);
    expect(make()).toEqual(['token 5', 'token 6', 'token 7', 'token 8']);
  });

  it('gives all tokens that a user has at a time one id, and keeps one that came', () => {
    const hops = signer();
    const txn = (): unknown => sign.mock.lastCall?.[0].txn;
    void hops.make(REQUEST, user('x'));
    const first = txn();
    void hops.make({ ...REQUEST, audience: 'c' }, user('x'));
    expect(txn()).toBe(first);
    vi.advanceTimersByTime(31_000);
    void hops.make(REQUEST, user('x'));
    expect(txn()).not.toBe(first);
    void hops.make(REQUEST, user('z', { txn: 'of the chain' }));
    expect(txn()).toBe('of the chain');
  });

  it('never outlives the token that it is made from', () => {
    void signer().make(REQUEST, user('x', { exp: 1_000_000_007 }));
    expect(sign.mock.lastCall?.[0]).toMatchObject({ iat: 1_000_000_000, exp: 1_000_000_007 });
  });

  it('remembers one that is still being signed, and none that failed', async () => {
    const hops = signer();
    const { promise, resolve } = Promise.withResolvers<string>();
    sign.mockReturnValueOnce(promise);
    const made = hops.make(REQUEST, user('x'));
    expect(hops.make(REQUEST, user('x'))).toBe(made);
    resolve('signed');
    await made;
    expect(hops.make(REQUEST, user('x'))).toBe('signed');
    expect(sign).toHaveBeenCalledOnce();
    sign.mockReturnValueOnce(Promise.reject(new Error('no key')));
    await expect(hops.make(REQUEST, user('y'))).rejects.toThrow('no key');
    expect(hops.make(REQUEST, user('y'))).toBe('token 1');
  });

  it('remembers as much as fits into its memory', () => {
    const hops = signer();
    const long = (i: number): HopUser => user(`${i}${'x'.repeat(16_000)}`);
    for (let i = 0; i < 300; i++) void hops.make(REQUEST, long(i));
    expect(sign).toHaveBeenCalledTimes(300);
    void hops.make(REQUEST, long(299));
    expect(sign).toHaveBeenCalledTimes(300);
    void hops.make(REQUEST, long(0));
    expect(sign).toHaveBeenCalledTimes(301);
  });

  it('needs an issuer, and warns once of an algorithm whose secret the backend would need', () => {
    expect(() => signer({ alg: 'ES256' }).assertUsable()).toThrow('issuer of SigningModule');
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    signer().assertUsable();
    expect(warn).not.toHaveBeenCalled();
    const symmetric = signer({ alg: 'HS256', issuer: 'i' });
    symmetric.assertUsable();
    symmetric.assertUsable();
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});
