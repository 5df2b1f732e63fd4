import { readFileSync } from 'node:fs';
import { getMetadataStorage } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { Environment } from '../src/environment/environment.js';
import { JWS_ALGORITHMS } from '../src/core/jws/index.js';
import { DEFAULTS, ENVIRONMENT_FILE, KID_AHEAD, VARIABLES } from './helpers/environment.js';

/** The lists of CONTRIBUTING.md, as far as they can be followed by a test. */
const page = (name: string): string => readFileSync(`docs/${name}.md`, 'utf8');
/** The first cells of a page's table rows. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| ([^|]+?) *\|/gm)].map(([, cell = '']) => cell);
const codeOf = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('a variable', () => {
  const expected = VARIABLES.map((name) => [name, DEFAULTS[name] ?? '']);

  it('is read and checked by the class', () => {
    const checked = getMetadataStorage()
      .getTargetValidationMetadatas(Environment, '', false, false)
      .map(({ propertyName }) => propertyName);
    expect(VARIABLES).toEqual([...new Set(checked)]);
    expect(VARIABLES.length).toBeGreaterThan(60);
  });

  it('is in .env.example with its default, in the same order', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^([A-Z0-9_]+)=(.*)$/gm);
    expect([...lines].map(([, name, value]) => [name, value])).toEqual(expected);
  });

  it('is in docs/configuration.md with its default, in the same order', () => {
    const rows = page('configuration').matchAll(/^\| (`[A-Z0-9_]+`[^|]*) \| ([^|]*) \|/gm);
    const shown = [...rows].flatMap(([, names = '', values = '']) => {
      const defaults = codeOf(values.replaceAll(/\(P\) `[^`]*`/g, ''));
      return codeOf(names).map((name, index) => [name, defaults[index] ?? '']);
    });
    const ahead = Object.entries(KID_AHEAD);
    expect(shown).toEqual(expected.map((row) => ahead.find(([name]) => name === row[0]) ?? row));
    expect(ahead.filter(([name, value]) => DEFAULTS[name] === value)).toEqual([]);
  });

  it('has its file named in CONTRIBUTING.md', () => {
    expect(readFileSync('CONTRIBUTING.md', 'utf8')).toContain(`1. \`${ENVIRONMENT_FILE}\``);
  });
});

describe('an algorithm', () => {
  it('is in the table of docs/keys.md', () => {
    const table = page('keys').split('## Algorithms')[1]?.split('\n## ')[0] ?? '';
    const shown = firstCells(table)
      .flatMap(codeOf)
      .filter((name) => name !== 'SIGNER_ALG');
    expect(shown).toEqual(JWS_ALGORITHMS);
  });
});

describe('a store', () => {
  it('is in the table of docs/sessions.md', () => {
    const rule =
      /'([^']+)',?\s*\)\s*STATE_STORE!/.exec(readFileSync(ENVIRONMENT_FILE, 'utf8'))?.[1] ?? '';
    const schemes = rule.split(/, | or /).map((one) => one.replace(/:.*$/, ''));
    expect(schemes.length).toBeGreaterThan(3);
    const table = page('sessions').split('## Where state is kept')[1]?.split('\n## ')[0] ?? '';
    const shown = firstCells(table)
      .flatMap(codeOf)
      .map((one) => one.replace(/:.*$/, ''));
    expect(shown.toSorted()).toEqual(schemes.toSorted());
  });
});
