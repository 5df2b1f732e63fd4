import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
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
