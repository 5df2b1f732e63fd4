import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MAX_BODY_BYTES, DEFAULT_TIMEOUT_MS } from '../backend/index.js';
import { VARIABLES } from '../environment/index.js';
import { DEFAULT_MANAGEMENT_PORT } from '../management/index.js';

/** Defaults that are defined in the module that uses the value. */
const OF_MODULES: Readonly<Record<string, number>> = {
  MANAGEMENT_PORT: DEFAULT_MANAGEMENT_PORT,
  BACKEND_TIMEOUT_MS: DEFAULT_TIMEOUT_MS,
  BACKEND_MAX_BODY: DEFAULT_MAX_BODY_BYTES,
};

/** A variable as a document shows it: its default, and that of production where it differs. */
type Shown = readonly [name: string, usual: string, production: string | undefined];

/** What the code says, in the form of the documents. Sizes are written with their unit. */
const expected = (shown: readonly Shown[]): Shown[] =>
  VARIABLES.map(({ name, default: usual = '', production, parse }) => {
    const text = shown.find(([other]) => other === name)?.[1] ?? '';
    const ofModule = OF_MODULES[name];
    const value = ofModule !== undefined && parse(text) === ofModule ? text : usual;
    return [name, value, production];
  });

describe('the documents name the same variables, in the same order, with the same defaults', () => {
  it('.env.example', () => {
    const lines = readFileSync('.env.example', 'utf8').split('\n');
    const shown = lines.flatMap((line, index): Shown[] => {
      const [, name, usual = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      const [, production] = /^# \(P\) ([^\s:]+)/.exec(lines[index - 1] ?? '') ?? [];
      return name === undefined ? [] : [[name, usual, production]];
    });
    expect(shown).toEqual(expected(shown));
  });

  it('the table of the manual', () => {
    const manual = ['docs/configuration.md', 'README.md'].find(existsSync) ?? '';
    const rows = readFileSync(manual, 'utf8').matchAll(/^\| (`[A-Z_]{4,}`[^|]*) \| ([^|]*) \|/gm);
    const shown = [...rows].flatMap(([, names = '', cell = '']) => {
      const values = [...cell.matchAll(/`([^`]*)`(?:, \(P\) `([^`]*)`)?/g)];
      return [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = ''], index): Shown => [
        name,
        values[index]?.[1] ?? '',
        values[index]?.[2],
      ]);
    });
    expect(shown).toEqual(expected(shown));
  });

  it('has no default of a module that the environment has, too', () => {
    const both = VARIABLES.filter(({ name }) => name in OF_MODULES);
    expect(both.map(({ default: usual }) => usual)).toEqual([undefined, undefined, undefined]);
  });
});
