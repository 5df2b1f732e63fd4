import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StdoutDestination } from './stdout-destination.js';

/** What was written to stdout, one text per system call. */
let writes: string[];
let isRead: boolean;
beforeEach(() => {
  writes = [];
  isRead = true;
  const write = (_fd: number, data: Buffer | string, ...rest: unknown[]): void => {
    const bytes = data as Buffer;
    writes.push(bytes.toString());
    const done = rest.at(-1) as (error: null, bytes: number) => void;
    if (isRead) setImmediate(done, null, bytes.length);
  };
  vi.spyOn(fs, 'write').mockImplementation(write);
});
afterEach(() => vi.restoreAllMocks());

const LINES = Array.from({ length: 1000 }, (_, i) => `${String(i).padStart(249, '.')}\n`);

async function written(shared: boolean, lines: readonly string[]): Promise<string[]> {
  const destination = new StdoutDestination(shared);
  for (const line of lines) destination.write(line);
  await expect.poll(() => writes.join('').length).toBe(lines.join('').length);
  return writes.filter((text) => text !== '');
}

describe('StdoutDestination', () => {
  it('writes 32 kB at a time where stdout is its own', async () => {
    const texts = await written(false, LINES);
    expect(texts.join('')).toBe(LINES.join(''));
    expect(texts.length).toBe(Math.ceil(250_000 / (131 * 250)));
  });

  it('writes whole lines of at most 4 kB where others write to it, too', async () => {
    const long = `${'x'.repeat(10_000)}\n`;
    const texts = await written(true, [...LINES, long, ...LINES]);
    expect(texts.join('')).toBe([...LINES, long, ...LINES].join(''));
    expect(texts).toContain(long);
    expect(texts.filter((text) => !text.endsWith('\n'))).toEqual([]);
    expect(texts.filter((text) => text.length > 4096)).toEqual([long]);
  });

  it.each([true, false])(
    'takes text of any characters, where they end too: shared %s',
    async (shared) => {
      const lines = Array.from(
        { length: 3000 },
        (_, i) => `${['a', 'aé', 'é€', '€😀'][i % 4]}${'é'.repeat(i % 60)}\n`,
      );
      const texts = await written(shared, lines);
      expect(texts.join('')).toBe(lines.join(''));
      expect(texts.filter((text) => !text.endsWith('\n'))).toEqual([]);
      const most = shared ? 4096 : 32 * 1024;
      expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(most);
    },
  );

  it('keeps no more than twice the memory of what nobody reads, and counts the lines that it drops', async () => {
    isRead = false;
    const destination = new StdoutDestination(false);
    const stream = Reflect.get(destination, 'stream') as { write(bytes: Buffer): boolean };
    const handed = vi.spyOn(stream, 'write');
    const few = LINES.slice(0, 3);
    for (let turn = 0; turn < 3; turn++) {
      for (const line of few) destination.write(line);
      await expect.poll(() => Reflect.get(destination, 'used')).toBe(0);
    }
    expect(writes.filter((text) => text !== '')).toEqual([few.join('')]);
    for (let turn = 0; turn < 40; turn++) for (const line of LINES) destination.write(line);
    const most = Math.floor((8 * 1024 * 1024) / 250);
    expect(destination.dropped).toBeGreaterThan(40_000 - most - 100);
    expect(destination.dropped).toBeLessThan(40_000 - most + 200);
    for (const [{ buffer, length }] of handed.mock.calls)
      expect(buffer.byteLength / length).toBeLessThanOrEqual(2);
  });

  it('writes a line soon, also when it is the only one', async () => {
    expect(await written(false, ['x\n'])).toEqual(['x\n']);
  });
});
