import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StdoutDestination } from './stdout-destination.js';

/** What was written to stdout, one text per system call. */
let writes: string[];
beforeEach(() => {
  writes = [];
  const write = (_fd: number, text: string, ...rest: unknown[]): void => {
    writes.push(text);
    const done = rest.at(-1) as (error: null, bytes: number) => void;
    setImmediate(done, null, Buffer.byteLength(text));
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

  it('writes a line soon, also when it is the only one', async () => {
    expect(await written(false, ['x\n'])).toEqual(['x\n']);
  });
});
