import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toIsoTime, Output } from './output.js';

let written: string, remarked: string, output: Output;
beforeEach(() => {
  written = remarked = '';
  output = new Output({
    stdout: { write: (text) => (written += text) },
    stderr: { write: (text) => (remarked += text) },
  });
});

describe('Output', () => {
  it('writes results to one stream and remarks to the other', () => {
    output.line('a');
    output.json({ b: 1 });
    output.text('c');
    output.remark('d');
    output.problem('e');
    expect([written, remarked]).toEqual(['a\n{\n  "b": 1\n}\nc', 'signet: d\nsignet: e\n']);
  });

  it('keeps a line a line, whatever is in it', () => {
    output.line('kid\r\nok  all is well');
    output.remark('a\u001b[31mb\u0085c\u0000');
    expect([written, remarked]).toEqual(['kid ok  all is well\n', 'signet: a [31mb c \n']);
  });

  it('makes columns as wide as their widest cell, without blanks at line ends', () => {
    output.table([
      ['KID', 'ALG', 'STATE'],
      ['a', 'any (RSA)', ''],
      ['longer', '-', 'active'],
    ]);
    expect(written).toBe(
      'KID     ALG        STATE\na       any (RSA)\nlonger  -          active\n',
    );
  });

  it('a cell with a line break makes no second row', () => {
    output.table([['a\nb', 'c']]);
    expect(written).toBe('a b  c\n');
  });

  it('an empty table is nothing', () => {
    output.table([]);
    expect(written).toBe('');
  });
});

describe('colours', () => {
  const TERMINAL = { TERM: 'xterm-256color' };
  /** What is written with colours and without. */
  function write(isTTY: boolean, env: Record<string, string>): string {
    const stream = { isTTY, write: (text: string) => (written += text) };
    const colored = new Output({ stdout: stream, stderr: stream }, env);
    colored.table(
      [
        ['KID', 'STATE'],
        ['active', 'active'],
        ['b', 'retired'],
      ],
      { STATE: { active: 'green' } },
    );
    colored.fields([
      ['kid', 'a\u001b[2J'],
      ['next', 'b'],
    ]);
    colored.remark('c');
    colored.problem('d');
    return written;
  }
  const PLAIN =
    'KID     STATE\nactive  active\nb       retired\nkid   a [2J\nnext  b\nsignet: c\nsignet: d\n';

  it('are where a terminal is', () => {
    const text = write(true, TERMINAL);
    expect(stripVTControlCharacters(text)).toBe(PLAIN);
    // The word is coloured in its column only.
    expect(text).toContain('\nactive  \u001b[32mactive\u001b[39m\n');
    expect(text).toContain('\u001b[1mKID\u001b[22m');
    expect(text).toContain('\u001b[31msignet:\u001b[39m d');
  });

  it.each([
    ['no terminal', false, TERMINAL],
    ['NO_COLOR', true, { ...TERMINAL, NO_COLOR: '1' }],
    ['FORCE_COLOR=0', true, { ...TERMINAL, FORCE_COLOR: '0' }],
    ['a terminal that has none', true, { TERM: 'dumb' }],
  ])('are not with %s', (_what, isTTY, env) => {
    expect(write(isTTY, env)).toBe(PLAIN);
  });

  it('are without a terminal with FORCE_COLOR', () => {
    expect(write(false, { FORCE_COLOR: '1' })).toContain('\u001b[32mactive');
  });
});

describe('during', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const work = (ms: number) => () =>
    new Promise<string>((resolve) => setTimeout(() => resolve('done'), ms));

  async function during(ms: number, isTTY: boolean): Promise<string> {
    const stderr = { isTTY, write: (text: string) => (remarked += text) };
    const stdout = { write: () => expect.fail() };
    const result = new Output({ stdout, stderr }).during('making\nit', work(ms));
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    return remarked;
  }

  it('says nothing of what takes less than a second', async () => {
    expect(await during(999, true)).toBe('');
  });

  it('says nothing where there is no terminal', async () => {
    expect(await during(3500, false)).toBe('');
  });

  it('counts the seconds on a terminal, and clears them away', async () => {
    expect(await during(2500, true)).toBe(
      '\r\u001b[2Ksignet: making it … 1 s\r\u001b[2Ksignet: making it … 2 s\r\u001b[2K',
    );
  });

  it('ends with what failed', async () => {
    const stream = { isTTY: true, write: () => undefined };
    const failed = new Output({ stdout: stream, stderr: stream }).during('it', () =>
      Promise.reject(new Error('no')),
    );
    await expect(failed).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('toIsoTime', () => {
  it.each([
    [undefined, '-'],
    [0, '1970-01-01T00:00:00Z'],
    [1_800_000_000, '2027-01-15T08:00:00Z'],
    [1_900_000_000.5, '2030-03-17T17:46:40.500Z'],
    // Milliseconds, by mistake; beyond what a date can be.
    [1_800_000_000_000_000, '1800000000000000'],
    [-1, '1969-12-31T23:59:59Z'],
  ])('%s is %s', (seconds, text) => {
    expect(toIsoTime(seconds)).toBe(text);
  });
});
