import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { KeyError, type KeyProvider } from '../core/keys/index.js';
import { LiveKeySet } from './live-key-set.js';

const jwks = (kid: string): string =>
  JSON.stringify({ keys: [{ kty: 'oct', kid, k: randomBytes(32).toString('base64url') }] });

it('does not lose a change that arrives while the one before is still being read', async () => {
  let text = jwks('first');
  let gate = Promise.resolve();
  let changed = (): void => undefined;
  const provider: KeyProvider = {
    source: 'a slow source',
    remote: false,
    publicOnly: false,
    read: async () => {
      const seen = text;
      await gate;
      return { text: seen };
    },
    watch: (callback) => {
      changed = callback;
      return () => undefined;
    },
  };
  const live = new LiveKeySet(provider);
  await live.open();

  let release = (): void => undefined;
  gate = new Promise((resolve) => (release = resolve));
  text = jwks('second');
  changed();
  // The read of the second set has begun; it knows nothing of the third.
  await Promise.resolve();
  text = jwks('third');
  changed();
  release();

  await expect.poll(() => live.current?.describeKids()).toBe('third');
  live.close();
});

it('F28: goes on with its keys while their source is down or bad for an hour, and asks it every 10 s at most', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const bad = ['<html>', '{"keys":[]}', jwks('other').slice(0, -5), '[]', ''];
  const reads: number[] = [];
  let answer = (): string => jwks('good');
  const live = new LiveKeySet({
    source: 'a set far away',
    remote: true,
    publicOnly: false,
    refresh: { cacheTtl: 900, cooldown: 10, maxStaleSeconds: 3600 },
    read: async () => {
      reads.push(performance.now());
      return { text: answer() };
    },
    watch: () => () => undefined,
  });
  await live.open();
  const begun = performance.now();
  answer = () => {
    const text = bad[reads.length % (bad.length + 1)];
    if (text === undefined) throw new KeyError('a set far away: cannot be fetched');
    return text;
  };
  /** Lets time pass; each second a token with an unknown key causes a refetch. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      void live.refetch();
      await vi.advanceTimersByTimeAsync(1000);
    }
  };
  for (let minute = 0; minute < 60; minute++) {
    await pass(60);
    expect(live.current?.describeKids()).toBe('good');
  }
  const gaps = reads.slice(1).map((at, index) => at - (reads[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  expect(reads.length).toBeGreaterThan(300);
  expect(live.staleSeconds).toBeGreaterThan(3580);

  // Its keys were good for 15 minutes, and are used for an hour after those.
  await pass(900 - 12);
  expect(live.current?.describeKids()).toBe('good');
  await pass(30);
  expect(live.current).toBeUndefined();
  expect(performance.now() - begun).toBeLessThan(4_530_000);
  answer = () => jwks('new');
  await vi.advanceTimersByTimeAsync(2000);
  expect(live.current?.describeKids()).toBe('new');
  live.close();
});

it('keeps the later set where a look is asked for while the first one is under way', async () => {
  const reads: PromiseWithResolvers<{ text: string }>[] = [];
  const provider: KeyProvider = {
    source: 'a slow source',
    remote: true,
    publicOnly: false,
    read: () => {
      const read = Promise.withResolvers<{ text: string }>();
      reads.push(read);
      return read.promise;
    },
    watch: () => () => undefined,
  };
  const live = new LiveKeySet(provider);
  const opening = live.open();
  live.reload();
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  // If a second read has begun, it ends before the first one.
  reads[1]?.resolve({ text: jwks('after the rotation') });
  await turn();
  reads[0]?.resolve({ text: jwks('before the rotation') });
  await opening;
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  reads[1]?.resolve({ text: jwks('after the rotation') });
  await vi.waitFor(() => expect(live.current?.describeKids()).toBe('after the rotation'));
  live.close();
});
