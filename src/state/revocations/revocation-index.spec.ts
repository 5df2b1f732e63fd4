import { hash, randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { figure } from '../../../test/helpers/run/figure.js';
import { RevocationIndex } from './revocation-index.js';
import { REVOCATION_KINDS, type Revocation } from '../../core/revocation/index.js';

const entry = (value: string, changes: Partial<Revocation> = {}): Revocation => ({
  id: randomUUID(),
  kind: 'jti',
  value,
  before: null,
  createdAt: 1,
  expiresAt: 4_000_000_000,
  ...changes,
});

describe('RevocationIndex', () => {
  it('gives back every entry as it was', () => {
    const index = new RevocationIndex();
    const entries = [
      entry('a'),
      entry('a', { before: 7 }),
      entry(randomUUID(), { before: 8, kind: 'sub' }),
      entry('b', { kind: 'kid', expiresAt: null, reason: 'r' }),
      entry(randomUUID(), { reason: 'r' }),
      entry(randomUUID().toUpperCase()),
      // The name of a login, and what looks like one.
      entry('login 0123abcd-0000-8fff-00ff-', { kind: 'sid' }),
      entry('login 0123abcd-0000-8fff-00ff_', { kind: 'sid' }),
      entry('login 0123abcd-0000-8fff-00fF-', { kind: 'sid' }),
      entry('login 0123abcd-0000-8fff-00f-f', { kind: 'sid' }),
      entry('Login 0123abcd-0000-8fff-00ff-', { kind: 'sid' }),
      entry(`${randomUUID().slice(0, 35)}ä`),
      entry(randomUUID().replace('-', '0')),
      entry(`sha256:${hash('sha256', 'x', 'base64url')}`, { reason: 'ä – 理由\0' }),
      // Looks like a digest, and is none: the last character has bits that nothing stands for.
      entry(`sha256:${'A'.repeat(42)}B`),
      entry(''),
      entry('ä\0'.repeat(100_000), { reason: 'long '.repeat(100) }),
      ...Array.from({ length: 300 }, (_, number) =>
        entry(`v${number}`, { reason: `reason ${number}` }),
      ),
      entry('c', { kind: 'sub', id: '00000000-0000-4000-8000-00000000000f' }),
    ];
    for (const one of [...entries, ...entries]) index.add(one);
    const sorted = (list: Iterable<Revocation>): Revocation[] =>
      [...list]
        .map((one) => Object.assign({ reason: undefined }, one))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(index.entries())).toEqual(sorted(entries));
    expect(index.size).toBe(entries.length);
    for (const { kind, value } of entries) expect(index.isRevoked(kind, value, 1)).toBe(true);
    for (const one of entries) index.remove(one);
    expect([...index.entries()]).toEqual([]);
    expect(REVOCATION_KINDS.filter((kind) => index.hasKind(kind))).toEqual([]);
  });

  it('knows what was not added again since a moment', () => {
    const index = new RevocationIndex();
    const entries = Array.from({ length: 100 }, () => entry(randomUUID()));
    for (const one of entries) index.add(one);
    index.beginMarking();
    for (const one of entries.slice(0, 90)) index.add(one);
    index.add(entry('new'));
    index.remove(entries[95] as Revocation);
    // A row that is used again.
    index.add(entry('newer'));
    const ids = (list: Iterable<Revocation>): string[] => [...list].map(({ id }) => id).toSorted();
    expect(ids(index.unmarked())).toEqual(ids([...entries.slice(90, 95), ...entries.slice(96)]));
    for (const one of index.unmarked()) index.markAgain(one);
    expect(ids(index.unmarked())).toEqual([]);
  });

  it('knows it after any number of histories', () => {
    const index = new RevocationIndex();
    const [lost, kept] = [entry('lost'), entry('kept', { reason: 'r', before: 7 })];
    for (const one of [lost, kept]) index.add(one);
    const missing = (): string[] => [...index.unmarked()].map(({ value }) => value);
    const wrong: number[] = [];
    for (let history = 1; history < 70_000; history++) {
      index.beginMarking();
      index.add(kept);
      if (missing().length !== 1) wrong.push(history);
    }
    expect(wrong).toEqual([]);
    expect(missing()).toEqual(['lost']);
    index.markAgain(lost);
    expect(missing()).toEqual([]);
    expect([...index.entries()]).toEqual([{ ...lost, reason: undefined }, kept]);
  });

  it('tells each entry once, whatever is added and removed meanwhile', () => {
    const index = new RevocationIndex();
    // Of many lengths, with gaps where a piece of the memory ends.
    const some = (count: number): Revocation[] =>
      Array.from({ length: count }, (_, number) =>
        entry(`${'x'.repeat((number * 7) % 300)}${randomUUID()}`, {
          before: number % 3 === 0 ? number : null,
        }),
      );
    const [staying, going] = [some(3000), some(3000)];
    for (const [number, one] of staying.entries()) {
      index.add(one);
      index.add(going[number] as Revocation);
    }
    const told: string[] = [];
    for (const { id } of index.entries()) {
      told.push(id);
      const gone = going.pop();
      if (gone === undefined) continue;
      index.remove(gone);
      for (const one of some(going.length % 3)) index.add(one);
    }
    expect(new Set(told).size).toBe(told.length);
    const known = new Set(told);
    expect(staying.filter(({ id }) => !known.has(id))).toEqual([]);
  });

  it('is what a plain list would be, whatever is done to it', () => {
    const index = new RevocationIndex();
    const list = new Map<string, Revocation>();
    const sizes: [number, number][] = [];
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return (seed >>> 8) % below;
    };
    for (let step = 0; step < 20_000; step++) {
      const victim = [...list.values()][random(Math.max(1, list.size))];
      if (random(2) === 0 || victim === undefined) {
        const before = random(3) === 0 ? null : random(50);
        const expiresAt = random(4) === 0 ? 1 : null;
        const added = entry(`v${random(12)}`, { before, expiresAt });
        index.add(added);
        list.set(added.id, added);
      } else {
        index.remove(victim);
        list.delete(victim.id);
      }
      if (list.size > 60) {
        index.sweep(1000, 2);
        index.sweep(1000, 2);
        for (const { id, expiresAt } of list.values()) if (expiresAt === 1) list.delete(id);
        sizes.push([index.size, list.size]);
      }
      const value = `v${random(12)}`;
      const iat = random(60);
      const expected = [...list.values()].some(
        (one) =>
          one.value === value &&
          one.expiresAt === null &&
          (one.before === null || iat < one.before),
      );
      expect(index.isRevoked('jti', value, iat)).toBe(expected);
    }
    expect(sizes.length).toBeGreaterThan(10);
    for (const [found, expected] of sizes) expect(found).toBe(expected);
    const ids = (entries: Iterable<Revocation>): string[] =>
      [...entries].map(({ id }) => id).toSorted();
    expect(ids(index.entries())).toEqual(ids(list.values()));
  });

  it('answers in microseconds, whatever it holds, and is compact', () => {
    const index = new RevocationIndex();
    const values = Array.from({ length: 1000 }, () => randomUUID());
    /** Nanoseconds of one look-up, the best of several rounds: the machine does other things, too. */
    const nanoseconds = (): number =>
      Math.min(
        ...Array.from({ length: 30 }, () => {
          const start = process.hrtime.bigint();
          for (const value of values) index.isRevoked('jti', value, 1);
          return Number(process.hrtime.bigint() - start) / values.length;
        }),
      );
    index.add(entry('one'));
    const few = nanoseconds();
    const memory = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return (heapUsed + arrayBuffers) / 1e6;
    };
    globalThis.gc?.();
    const before = memory();
    const start = performance.now();
    let longest = 0;
    const BATCHES = inject('thorough') ? 500 : 50;
    for (let batch = 0; batch < BATCHES; batch++) {
      const begun = performance.now();
      for (let one = 0; one < 2000; one++) index.add(entry(randomUUID()));
      longest = Math.max(longest, performance.now() - begun);
    }
    const ms = performance.now() - start;
    globalThis.gc?.();
    const many = nanoseconds();
    figure(
      `isRevoked: ${few.toFixed(0)} ns at 1 entry, ${many.toFixed(0)} ns at ${index.size}; ` +
        `${(memory() - before).toFixed(0)} MB more; filled in ${ms.toFixed(0)} ms, ` +
        `the slowest 2,000 in ${longest.toFixed(1)} ms`,
    );
    expect(index.size).toBe(BATCHES * 2000 + 1);
    expect(many).toBeLessThan(20_000);
  });
});
