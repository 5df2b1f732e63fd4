import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { KeyProvider } from '../core/keys/index.js';
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
  // The answer to a question that was asked later is here first, if it was asked.
  reads[1]?.resolve({ text: jwks('after the rotation') });
  await turn();
  reads[0]?.resolve({ text: jwks('before the rotation') });
  await opening;
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  reads[1]?.resolve({ text: jwks('after the rotation') });
  await vi.waitFor(() => expect(live.current?.describeKids()).toBe('after the rotation'));
  live.close();
});
