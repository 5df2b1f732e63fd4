import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { JWS_ALGORITHMS } from '../src/core/jws/index.js';

/** The lists of CONTRIBUTING.md, as far as they can be followed by a test. */
const page = (name: string): string => readFileSync(`docs/${name}.md`, 'utf8');
/** The first cells of a page's table rows. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| ([^|]+?) *\|/gm)].map(([, cell = '']) => cell);
const codeOf = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

const ENVIRONMENT_FILE = 'src/environment/environment.ts';

// src/config/documentation.spec.ts compares variables, .env.example and the manual.
describe('a variable', () => {
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
      /'([^']+)',\s*\{[^}]*\},?\s*\)\s*STATE_STORE!/.exec(
        readFileSync(ENVIRONMENT_FILE, 'utf8'),
      )?.[1] ?? '';
    const schemes = rule
      .split(/,? or |, /)
      .filter((one) => one.includes(':'))
      .map((one) => one.replace(/:.*$/, ''));
    expect(schemes.length).toBeGreaterThan(3);
    const table = page('sessions').split('## Where state is kept')[1]?.split('\n## ')[0] ?? '';
    const shown = firstCells(table)
      .flatMap(codeOf)
      .map((one) => one.replace(/:.*$/, ''));
    expect(shown.toSorted()).toEqual(schemes.toSorted());
  });
});

describe('a version', () => {
  it('is the one of the newest section of the changelog, everywhere', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const [, newest] = /^## (\S+)/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
    const [, image] = /image: signet:(\S+)/.exec(readFileSync('ops/kubernetes.yaml', 'utf8')) ?? [];
    expect([newest, image]).toEqual([version, version]);
  });
});
