import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  withNotation,
  hasDuplicateMembers,
  isDeeperThan,
  isJsonObject,
  parseJsonExactly,
  toNumber,
} from './json.js';

/**
 * False for text that V8 itself may misread: a name of one character that is written as an escape becomes a
 * backslash, once V8 has seen an object with that name in the same place (nodejs/node#63785, open).
 */
const isReadRightly = (text: string): boolean => !/"\\(?:u[\da-f]{4}|.)"\s*:/i.test(text);

const roundTrip = (text: string): string => JSON.stringify(parseJsonExactly(text));

/** The value of a JSON number as `digits e exponent`, computed without doubles. */
function exactValue(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal);
  if (match === null) throw new Error('not a JSON number');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const shift = digits.length - significant.length - fraction.length;
  return `${sign}${significant}e${BigInt(exponent) + BigInt(shift)}`;
}

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: 1, maxLength: max });
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(24).map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(digits(24), { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(5)), {
      nil: undefined,
    }),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      sign + whole + (fraction === undefined ? '' : `.${fraction}`) + (exponent?.join('') ?? ''),
  );

describe('asWritten', () => {
  const written = (text: string): string => JSON.stringify(withNotation(text, JSON.parse(text)));

  it.each(['1.0', '19.90', '1E2', '1e-7', '0.0000001', '-0', '-0.0', '0.10', '-12.500', '1e400'])(
    '%s keeps its spelling',
    (number) => {
      for (const text of [number, `[${number}]`, `[1,${number}]`, `{"a":${number},"b":"1.0"}`])
        expect(written(text)).toBe(text);
      expect(written(`{ "a" : ${number} , "b" : [ 1 ] }`)).toBe(`{"a":${number},"b":[1]}`);
    },
  );

  it('is the text for all numbers', () => {
    fc.assert(
      fc.property(fc.array(numberText, { minLength: 1 }), (numbers) => {
        const text = `[${numbers.join()}]`;
        expect(written(text)).toBe(text);
      }),
    );
  });

  it('gives numbers for what JSON spells in the same way', () => {
    const value = [0, 1, -1, 10, 0.1, 1.5, -100, 1_795_789_953, 105.05, 0.000001];
    expect(withNotation(JSON.stringify(value), value)).toBe(value);
  });
});

describe('parseJsonExactly', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '1E+400',
    '-1e-400',
    '0.1234567890123456789',
    '123456789012345678901234567890',
    '4.9e-324000',
    '1e21',
    '100000000000000000000000',
  ])('%s keeps its value through parse and stringify', (text) => {
    expect(exactValue(roundTrip(text))).toBe(exactValue(text));
    const nested = `{"a":[${text},{"b":${text}}]}`;
    const found = /\[(.+),\{"b":(.+)\}\]/.exec(roundTrip(nested));
    expect(found?.slice(1).map(exactValue)).toEqual([exactValue(text), exactValue(text)]);
  });

  it('keeps every number numerically identical', () => {
    fc.assert(
      fc.property(fc.array(numberText, { minLength: 1, maxLength: 4 }), (literals) => {
        const back = roundTrip(`[${literals.join(',')}]`)
          .slice(1, -1)
          .split(',');
        expect(back.map(exactValue)).toEqual(literals.map(exactValue));
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves numbers that a double holds to be numbers', () => {
    expect(parseJsonExactly('[0,-1,1.5,1700000000,9007199254740991,0.1]')).toEqual([
      0, -1, 1.5, 1_700_000_000, 9_007_199_254_740_991, 0.1,
    ]);
    expect(parseJsonExactly('-0.0')).toBe(-0);
  });

  // Handlers compute with `exp`, which is typed as a number.
  it.each(['1.0', '2e9', '2051882755.0', '1E2'])(
    '%s stays a number also beside one that no double holds',
    (text) => {
      const [value] = parseJsonExactly(`[${text},9007199254740993]`) as unknown[];
      expect(value).toBe(Number(text));
    },
  );

  it('does not touch text that looks like a number', () => {
    const text = '{"1e400":"9007199254740993","b":["1e400","\\"1e400"]}';
    expect(roundTrip(text)).toBe(text);
  });

  it('agrees with JSON.parse on everything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(isReadRightly(text));
        expect(roundTrip(text)).toBe(text);
      }),
    );
  });

  it.each(['', '01', '1e', '{', '{"a":1,}', 'NaN', '9007199254740993n', '1e400 1'])(
    'throws SyntaxError for %j',
    (text) => {
      expect(() => parseJsonExactly(text)).toThrow(SyntaxError);
    },
  );
});

describe('toNumber', () => {
  it('reads numbers and raw numbers, and nothing else', () => {
    expect(toNumber(1.5)).toBe(1.5);
    expect(toNumber(parseJsonExactly('9007199254740993'))).toBe(9_007_199_254_740_992);
    expect(toNumber(parseJsonExactly('1e400'))).toBe(Infinity);
    for (const value of ['1', null, undefined, true, {}, [1], { rawJSON: '1' }])
      expect(toNumber(value)).toBeUndefined();
  });
});

describe('isJsonObject', () => {
  it('is true for objects with members only', () => {
    for (const value of [{}, { a: 1 }, Object.create(null), JSON.parse('{"__proto__":1}')])
      expect(isJsonObject(value)).toBe(true);
    for (const value of [null, [], 'a', 1, undefined, new Date(), new Map(), Buffer.from('a')])
      expect(isJsonObject(value)).toBe(false);
    expect(isJsonObject(parseJsonExactly('1e400'))).toBe(false);
  });
});

const check = (text: string): boolean => hasDuplicateMembers(text, JSON.parse(text));
const escapeAll = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => {
    return `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
function nest(levels: number, kind: 'array' | 'object'): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = kind === 'array' ? [0, value] : { a: 0, b: value };
  return value;
}

describe('hasDuplicateMembers', () => {
  it('is never true for what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(isReadRightly(text));
        expect(check(text)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is true for a member that is there twice, at any depth and in any spelling', () => {
    const layers = fc.array(fc.constantFrom('object', 'array', 'sibling'), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.string(),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.boolean(),
        layers,
        (name, first, second, escaped, around) => {
          const again = escaped ? `"${escapeAll(name)}"` : JSON.stringify(name);
          const duplicate = `{${JSON.stringify(name)}:${JSON.stringify(first)}, ${again} :${JSON.stringify(second)}}`;
          const wrap = {
            object: ['{"a":', '}'],
            array: ['[', ']'],
            sibling: ['{"b":{"a":1},"a":[0,', ']}'],
          };
          const text = around.reduce((inner, kind) => {
            const [before, after] = wrap[kind];
            return `${before}${inner}${after}`;
          }, duplicate);
          fc.pre(isReadRightly(text));
          expect(check(text)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('counts __proto__ and constructor as names like any other', () => {
    expect(check('{"__proto__":{"a":1},"constructor":1}')).toBe(false);
    expect(check('{"__proto__":1,"__proto__":1}')).toBe(true);
  });

  it('goes with values of parseJsonExactly', () => {
    const text = '{"a":1e400,"b":[9007199254740993],"c":{"d":1e400}}';
    expect(hasDuplicateMembers(text, parseJsonExactly(text))).toBe(false);
    const twice = text.replace('"b"', '"a"');
    expect(hasDuplicateMembers(twice, parseJsonExactly(twice))).toBe(true);
  });

  it('does not overflow on hostile nesting', () => {
    const depth = 200_000;
    let value: unknown = {};
    for (let i = 0; i < depth; i++) value = { a: value };
    expect(hasDuplicateMembers(`${'{"a":'.repeat(depth)}{}${'}'.repeat(depth)}`, value)).toBe(
      false,
    );
  });
});

describe('isDeeperThan', () => {
  it.each(['array', 'object'] as const)('counts levels of an %s exactly', (kind) => {
    // One container is level 0.
    for (const levels of [1, 2, 5, 64]) {
      expect(isDeeperThan(levels - 1, nest(levels, kind))).toBe(false);
      expect(isDeeperThan(levels - 2, nest(levels, kind))).toBe(true);
    }
  });

  it('looks at every branch', () => {
    expect(isDeeperThan(2, [1, { a: [] }, 'x', { b: [{ c: [] }] }])).toBe(true);
    expect(isDeeperThan(4, [1, { a: [] }, 'x', { b: [{ c: [] }] }])).toBe(false);
  });

  it('does not overflow on hostile nesting', () => {
    expect(isDeeperThan(1000, nest(200_000, 'array'))).toBe(true);
    expect(isDeeperThan(300_000, nest(200_000, 'object'))).toBe(false);
  });
});
