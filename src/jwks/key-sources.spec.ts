import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyError, type KeyProvider } from '../core/keys/index.js';
import { KeySources } from './key-sources.js';

const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const TEXT = JSON.stringify({ keys: [{ ...jwk, kid: 'k1', alg: 'EdDSA' }] });

let closed: string[];
let sources: KeySources;
beforeEach(() => {
  closed = [];
  sources = new KeySources({});
});

const provider = (source: string, read: KeyProvider['read'] = async () => ({ text: TEXT })) => ({
  source,
  remote: true,
  publicOnly: true,
  read,
  watch: () => () => undefined,
  close: () => void closed.push(source),
});

describe('a leased key set', () => {
  it('is closed, forgotten and without keys once its last user has ended', async () => {
    const a = provider('a');
    const first = await sources.lease(a);
    const second = await sources.lease(a);
    const live = sources.get(a);
    first();
    // A second call does not end another use.
    first();
    expect(closed).toEqual([]);
    expect(live.current?.describeKids()).toBe('k1');
    second();
    expect(closed).toEqual(['a']);
    expect(sources.all()).toEqual([]);
    // A later request finds no keys, and gets no error about an unopened source.
    expect(sources.get(a)).toBe(live);
    expect(live.current).toBeUndefined();
  });

  it('opens again', async () => {
    const a = provider('a');
    (await sources.lease(a))();
    await sources.lease(a);
    expect(sources.get(a).current?.describeKids()).toBe('k1');
    expect(sources.all()).toHaveLength(1);
  });

  it('stays open where the boot opened it, by whatever spelling', async () => {
    const url = 'https://127.0.0.1:1/jwks';
    await sources.open([{ source: { url }, publicOnly: true }]);
    const end = await sources.lease({ url: 'HTTPS://127.0.0.1:1/jwks' });
    expect(sources.all()).toHaveLength(1);
    end();
    expect(sources.all()).toHaveLength(1);
    sources.close();
  });

  it('that is away is waited for in the background, and not by the process', async () => {
    const away = provider('away', () => Promise.reject(new KeyError('away: no answer')));
    const end = await sources.lease(away);
    expect(sources.all()).toMatchObject([{ needed: false, current: undefined }]);
    end();
    expect(closed).toEqual(['away']);
  });

  it('that cannot be used is forgotten, and takes nothing else with it', async () => {
    const other = provider('other');
    await sources.lease(other);
    await expect(sources.lease({ path: '/nowhere/keys.json' })).rejects.toThrow(/nowhere/);
    await expect(sources.lease({ url: 'http://insecure' })).rejects.toThrow(/must be https/);
    expect(sources.all()).toEqual([sources.get(other)]);
    expect(closed).toEqual([]);
  });

  it('that is read while it is closed takes no keys', async () => {
    let answer = (): void => undefined;
    const gate = new Promise<void>((resolve) => (answer = resolve));
    let reads = 0;
    const slow = provider('slow', async () => {
      if (reads++ > 0) await gate;
      return { text: TEXT };
    });
    const end = await sources.lease(slow);
    const live = sources.get(slow);
    const refreshed = live.refresh();
    end();
    answer();
    await refreshed;
    expect(live.current).toBeUndefined();
  });

  it('is not opened any more after the shutdown', async () => {
    await sources.lease(provider('a'));
    sources.close();
    let reads = 0;
    const late = provider('late', async () => {
      reads++;
      return { text: TEXT };
    });
    await expect(sources.lease(late)).rejects.toThrow(KeyError);
    expect([reads, closed]).toEqual([0, ['a']]);
  });
});
