import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyError, type KeyDocument } from '../../jwks/index.js';
import { KeyReads } from './key-reads.js';
import type { ToPrimary } from './messages.js';
import { SharedKeyReads } from './shared-key-reads.js';

const FRESH = { document: 10_000, failure: 1000 };
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A primary with its workers, and a source that counts its reads. */
function machine() {
  const primary = new KeyReads();
  const reads: PromiseWithResolvers<KeyDocument>[] = [];
  const worker = (number: number) => {
    const part: SharedKeyReads = new SharedKeyReads((message: ToPrimary) => {
      if (message.signet === 'keys-read') primary.take(message.source, message.answer);
      else if (message.signet === 'read-keys') {
        const { id, source, fresh } = message;
        const tell = (answer: object): void =>
          part.answered(id, (answer as { answer?: { document: KeyDocument } }).answer);
        primary.ask({ worker: number, id, tell }, source, fresh);
      }
    });
    const read = (): Promise<KeyDocument> => {
      const promise = Promise.withResolvers<KeyDocument>();
      reads.push(promise);
      return promise.promise;
    };
    return (source = 's') => part.read(source, FRESH, read);
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { primary, reads, workers: [worker(1), worker(2), worker(3)] as const, settle };
}

describe('key sets that workers read together', () => {
  it('are read by one, for all who ask meanwhile and within the cooldown', async () => {
    const { reads, workers, settle } = machine();
    const [one, two, three] = workers;
    const answers = Promise.all([one(), two()]);
    const other = one('other');
    await settle();
    expect(reads.length).toBe(2);
    reads[0]?.resolve({ text: 'a' });
    reads[1]?.resolve({ text: 'o', algorithms: ['ES256'] });
    expect(await answers).toEqual([{ text: 'a' }, { text: 'a' }]);
    expect(await other).toEqual({ text: 'o', algorithms: ['ES256'] });
    vi.advanceTimersByTime(9999);
    expect(await three()).toEqual({ text: 'a' });
    vi.advanceTimersByTime(1);
    const later = three();
    await settle();
    expect(reads.length).toBe(3);
    reads[2]?.resolve({ text: 'b' });
    expect(await later).toEqual({ text: 'b' });
    expect(await one()).toEqual({ text: 'b' });
  });

  it('that cannot be read fail for all, and for a second', async () => {
    const { reads, workers, settle } = machine();
    const [one, two, three] = workers;
    const answers = Promise.allSettled([one(), two()]);
    await settle();
    reads[0]?.reject(new KeyError('it is away'));
    const error = new KeyError('it is away');
    expect(await answers).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    await expect(three()).rejects.toThrow(error);
    vi.advanceTimersByTime(1000);
    const again = three();
    await settle();
    reads[1]?.resolve({ text: 'a' });
    expect(await again).toEqual({ text: 'a' });
  });

  it('are read by another one where the reader ends', async () => {
    const { primary, reads, workers, settle } = machine();
    void workers[0]();
    const answers = Promise.all([workers[1](), workers[2]()]);
    await settle();
    expect(reads.length).toBe(1);
    primary.forget(1);
    await settle();
    expect(reads.length).toBe(2);
    reads[1]?.resolve({ text: 'a' });
    expect(await answers).toEqual([{ text: 'a' }, { text: 'a' }]);
  });

  it('are read again when they are to be, and where nobody answers', async () => {
    const { primary, reads, workers, settle } = machine();
    const first = workers[0]();
    await settle();
    reads[0]?.resolve({ text: 'a' });
    await first;
    primary.clear();
    const second = workers[1]();
    await settle();
    expect(reads.length).toBe(2);
    // The reader hangs.
    const third = workers[2]();
    vi.advanceTimersByTime(10_000);
    await settle();
    expect(reads.length).toBe(3);
    reads[2]?.resolve({ text: 'c' });
    expect(await third).toEqual({ text: 'c' });
    reads[1]?.resolve({ text: 'b' });
    expect(await second).toEqual({ text: 'b' });
  });

  it('are read once more for who asks after a reload, also where a read was under way', async () => {
    const { primary, reads, workers, settle } = machine();
    const before = Promise.all([workers[0](), workers[1]()]);
    await settle();
    primary.clear();
    const after = Promise.all([workers[1](), workers[2]()]);
    await settle();
    // What is being read may be from before the rotation that the reload is for.
    expect(reads.length).toBe(1);
    reads[0]?.resolve({ text: 'old' });
    expect(await before).toEqual([{ text: 'old' }, { text: 'old' }]);
    await settle();
    expect(reads.length).toBe(2);
    reads[1]?.resolve({ text: 'new' });
    expect(await after).toEqual([{ text: 'new' }, { text: 'new' }]);
    expect(await workers[0]()).toEqual({ text: 'new' });
    expect(reads.length).toBe(2);
  });

  it('are read anew for all when the reader ends after a reload', async () => {
    const { primary, reads, workers, settle } = machine();
    void workers[0]();
    const before = workers[1]();
    await settle();
    primary.clear();
    const after = workers[2]();
    primary.forget(1);
    await settle();
    expect(reads.length).toBe(2);
    reads[1]?.resolve({ text: 'new' });
    expect(await Promise.all([before, after, workers[1]()])).toEqual(
      Array.from({ length: 3 }, () => ({ text: 'new' })),
    );
    expect(reads.length).toBe(2);
  });
});
