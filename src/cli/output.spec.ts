import { beforeEach, describe, expect, it } from 'vitest';
import { toIsoTime, Output } from './output.js';

let written: string, remarked: string, output: Output;
beforeEach(() => {
  written = remarked = '';
  output = new Output(
    { write: (text) => (written += text) },
    { write: (text) => (remarked += text) },
  );
});

describe('Output', () => {
  it('writes results to one stream and remarks to the other', () => {
    output.line('a');
    output.json({ b: 1 });
    output.text('c');
    output.remark('d');
    expect([written, remarked]).toEqual(['a\n{\n  "b": 1\n}\nc', 'signet: d\n']);
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
