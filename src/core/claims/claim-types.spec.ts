import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../json/index.js';
import { claimTypeProblem } from './claim-types.js';

const problem = (text: string): string | undefined =>
  claimTypeProblem(parseJsonExactly(text) as Record<string, unknown>)?.claim;

describe('claimTypeProblem', () => {
  it.each(['sub', 'jti', 'sid'])('%s is a string where it is there', (name) => {
    expect(problem('{}')).toBeUndefined();
    expect(problem(`{"${name}":""}`)).toBeUndefined();
    for (const value of ['5', '["u"]', 'null', 'true', '{"u":1}', '1e400', '9007199254740993'])
      expect(problem(`{"${name}":${value}}`)).toBe(name);
  });

  it('aud is a string or a list of strings', () => {
    for (const value of ['"a"', '["a","b"]', '[]', '""'])
      expect(problem(`{"aud":${value}}`)).toBeUndefined();
    for (const value of ['5', '["a",5]', 'null', '{"a":true}', '[["a"]]', '[null]', '1e400'])
      expect(problem(`{"aud":${value}}`)).toBe('aud');
  });

  it('looks at own members only', () => {
    expect(problem('{"__proto__":{"sub":5}}')).toBeUndefined();
  });
});
