import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStore } from '../../state/index.js';
import { DpopNonces } from './dpop-nonces.js';

const T = 1_900_000_800; // The begin of a period.
const PERIOD = 120;
const setNow = (seconds: number): void =>
  void vi.useFakeTimers({ toFake: ['Date'], now: seconds * 1000 });

describe('nonces', () => {
  beforeEach(() => setNow(T));
  afterEach(() => void vi.useRealTimers());

  it('are the same on all servers, and others in each period', async () => {
    const store = new MemoryStore();
    const [one, two] = [new DpopNonces(store), new DpopNonces(store)];
    const first = await one.current();
    expect(first).toMatch(/^[\w-]{22}$/);
    expect(await two.current()).toBe(first);
    setNow(T + PERIOD - 1);
    expect(await two.current()).toBe(first);
    setNow(T + PERIOD);
    const next = await two.current();
    expect(next).not.toBe(first);
    expect(await one.current()).toBe(next);
    expect(await new DpopNonces(new MemoryStore()).current()).not.toBe(next);
  });

  it('are accepted in their period and the next one, and by a server whose clock is behind', async () => {
    const store = new MemoryStore();
    const [one, two] = [new DpopNonces(store), new DpopNonces(store)];
    const nonce = await one.current();
    for (const [at, accepted] of [
      [T - PERIOD - 1, false],
      [T - PERIOD, true],
      [T, true],
      [T + PERIOD, true],
      [T + 2 * PERIOD - 1, true],
      [T + 2 * PERIOD, false],
      [T + 100 * PERIOD, false],
    ] as const) {
      setNow(at);
      for (const server of [one, two, new DpopNonces(store)])
        expect([at, await server.accepts(nonce)]).toEqual([at, accepted]);
    }
    expect(await one.accepts('')).toBe(false);
  });

  it('live no longer than they say, which is how long a proof has to be remembered', async () => {
    const nonces = new DpopNonces(new MemoryStore());
    // The earliest and the latest moment at which any server accepts the nonce of now.
    const nonce = await nonces.current();
    const accepted: number[] = [];
    for (let at = T - 4 * PERIOD; at < T + 4 * PERIOD; at += 10) {
      setNow(at);
      if (await nonces.accepts(nonce)) accepted.push(at);
    }
    expect((accepted.at(-1) ?? 0) - (accepted[0] ?? 0)).toBeLessThan(nonces.lifetime);
  });

  it('cost the store one question per period and server, whatever clients send', async () => {
    const store = new MemoryStore();
    const asked = vi.spyOn(store, 'putIfAbsent');
    const nonces = new DpopNonces(store);
    for (let i = 0; i < 100; i++) {
      await nonces.current();
      await nonces.accepts(`garbage ${i}`);
    }
    expect(asked).toHaveBeenCalledTimes(3);
    for (let period = 1; period <= 1000; period++) {
      setNow(T + period * PERIOD);
      await nonces.accepts('garbage');
    }
    expect(asked).toHaveBeenCalledTimes(3 + 1000);
  });

  it('fail while the store does, and are asked for again', async () => {
    const store = new MemoryStore();
    const asked = vi.spyOn(store, 'putIfAbsent').mockRejectedValueOnce(new Error('down'));
    const nonces = new DpopNonces(store);
    await expect(nonces.current()).rejects.toThrow('down');
    expect(await nonces.accepts(await nonces.current())).toBe(true);
    expect(asked).toHaveBeenCalledTimes(2);
  });
});
