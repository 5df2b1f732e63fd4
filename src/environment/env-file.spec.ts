import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseEnvFile, withEnvFile } from './env-file.js';
import type { RawEnvironment } from './raw-environment.js';

const directory = mkdtempSync(join(tmpdir(), 'signet-'));
const file = join(directory, '.env');
afterAll(() => rmSync(directory, { recursive: true }));

function read(text: string, env: RawEnvironment = {}): RawEnvironment {
  writeFileSync(file, text);
  return withEnvFile(env, file);
}
/** What is wrong with a file, without its path. */
function problems(text: string, env?: RawEnvironment): string[] {
  try {
    read(text, env);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(`${file} `, ''));
  }
}

describe('.env', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['# comment\n\n \t\n', {}],
    ['A=b', { A: 'b' }],
    [' \tA = b c \n', { A: 'b c' }],
    ['A=\nB= \nC=""', { A: '', B: '', C: '' }],
    ['export A=b\nexport\t B=c\nexportC=d', { A: 'b', B: 'c', exportC: 'd' }],
    ['A=b\r\nB=c\r\n', { A: 'b', B: 'c' }],
    ['A=b\rB=c', { A: 'b', B: 'c' }],
    ['\uFEFFA=b', { A: 'b' }],
    ['A=b # comment\nB=\t# comment', { A: 'b', B: '' }],
    ['A=x5t\nA=kid', { A: 'kid' }],
    [`A="x5t#S256"\nB='x5t#S256' # c\nC=\`a#"'b\``, { A: 'x5t#S256', B: 'x5t#S256', C: `a#"'b` }],
    ['A="one\ntwo"\nB=c', { A: 'one\ntwo', B: 'c' }],
    [String.raw`A="a\nb\"c\d"`, { A: 'a\nb"c\\d' }],
    [String.raw`A='a\nb'` + '\n' + String.raw`B=a\nb`, { A: 'a\\nb', B: 'a\\nb' }],
    ['A=b"c"=d', { A: 'b"c"=d' }],
    ['A.b-C_1=x', { 'A.b-C_1': 'x' }],
    ['__proto__=x\nconstructor=y', { ['__proto__']: 'x', constructor: 'y' }],
    // References.
    ['A=a\nB=${A}b${A}', { A: 'a', B: 'aba' }],
    ['B="${HOME}/x"\nC=${HOME}', { B: '/root/x', C: '/root' }],
    ["B='${HOME}'\nC=`${HOME}`", { B: '${HOME}', C: '${HOME}' }],
    ['B=$HOME\nC=a$b\nD=${', { B: '$HOME', C: 'a$b', D: '${' }],
    ['A=\'\\n${X}\'\nB="${A}"', { A: '\\n${X}', B: '\\n${X}' }],
    ['A=\nB=x${A}', { A: '', B: 'x' }],
    ['P=/u/{JWT.sub}', { P: '/u/{JWT.sub}' }],
  ])('%j', (text, variables) => {
    expect(read(text, { HOME: '/root' })).toEqual({ HOME: '/root', ...variables });
  });

  it('changes nothing that the environment has, be it empty', () => {
    expect(read('A=file\nB=file\nC=${A}', { A: 'process', B: '' })).toEqual({
      A: 'process',
      B: '',
      C: 'process',
    });
  });

  it.each([
    ['A=b\n\nSTRATEGY=x5t#S256\n', 'line 3: STRATEGY has a # within its value; write the value in'],
    ['URL=redis://:pa#ss@host # comment', 'line 1: URL has a # within'],
    ['COLOR=#fff', 'line 1: COLOR has a # within'],
    ['A="b', 'line 1: A has no closing quote, or something behind it'],
    ['A="b"c', 'line 1: A has no closing quote, or something behind it'],
    ["A='it's'", 'line 1: A has no closing quote, or something behind it'],
    ['A="x\nB="y"', 'line 1: A has no closing quote'],
    ['A=${NOWHERE}', 'line 1: A refers to a variable that is not set'],
    ['A=${B}\nB=c', 'line 1: A refers to a variable that is not set'],
    ['A=${B:-c}', 'line 1: A has a ${ that is no ${NAME}; write the value in single quotes'],
    ['A="x\ny"\nSIGNER_ALG ES256', 'line 3 is not NAME=value'],
    ['SIGNER_ALG: ES256', 'line 1 is not NAME=value'],
    ['=b', 'line 1 is not NAME=value'],
  ])('%j is refused', (text, problem) => {
    const [line, ...others] = problems(text);
    expect(line).toContain(problem);
    expect(others).toEqual([]);
  });

  it('reports all lines at once, without their values', () => {
    const lines = problems('A=hunter2#x\nB="hunter2\nC=${hunter2}\nhunter2\nD=${hunter2:}');
    expect(lines.map((line) => /^line \d/.exec(line)?.[0])).toEqual([
      'line 1',
      'line 2',
      'line 3',
      'line 4',
      'line 5',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('does not refuse a line that is not used', () => {
    expect(problems('A=b#c\nB=${NOWHERE}', { A: 'x', B: '' })).toEqual([]);
  });

  it('need not be there, and is named when it cannot be read', () => {
    const env = { A: 'b' };
    expect(withEnvFile(env, join(directory, 'none'))).toEqual(env);
    expect(() => withEnvFile(env, directory)).toThrow(`${directory} cannot be read (EISDIR)`);
  });

  it('means what it means to Node, where Node leaves no doubt', () => {
    const name = fc.stringMatching(/^[A-Z_]{1,5}$/);
    const word = fc.stringMatching(/^[\w.:/@{},=$*-]{0,8}$/).filter((text) => !text.includes('${'));
    // No empty values: after one, Node reads blanks and the next line as part of the value.
    const bare = fc
      .array(word, { maxLength: 3 })
      .map((words) => words.join(' '))
      .filter((text) => text.trim() !== '');
    const inQuotes = (quote: string) =>
      fc
        .stringMatching(/^[\w .:/@{}=#\n"'`-]{0,12}$/)
        .filter((text) => !text.includes(quote))
        .map((text) => quote + text + quote);
    const value = fc.oneof(bare, inQuotes('"'), inQuotes("'"), inQuotes('`'));
    const line = fc.oneof(
      fc.tuple(fc.constantFrom('', 'export ', ' '), name, fc.constantFrom('=', ' = '), value),
      fc.constantFrom(['# a comment'], ['']),
    );
    const end = fc.constantFrom('\n', '\r\n', ' \n', ' # comment\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end), { maxLength: 6 }), (lines) => {
        const text = lines.map(([parts, eol]) => parts.join('') + eol).join('');
        expect(parseEnvFile(text, {}, file)).toEqual({
          variables: { ...parseEnv(text) },
          problems: [],
        });
      }),
      { numRuns: 500 },
    );
  });
});
