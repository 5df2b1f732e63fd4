import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLOCKS, PAGES } from './helpers/pages/manual.js';

/** Everything that is written for people, by path. */
const DOCUMENTS = new Map(
  globSync(['*.md', 'docs/*.md', 'bench/*.md', 'keys/*.md'])
    .sort()
    .map((path) => [path, readFileSync(path, 'utf8')]),
);

describe('the blocks of the manual', () => {
  it('are each run or compiled by a test', () => {
    const tests = globSync(['test/**/*{.e2e-spec,.spec}.ts', 'test/helpers/**/*.ts'])
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const tested = new Set(
      [...tests.matchAll(/\bblocksOf\(\s*'([^']+)',\s*(?:'([^']+)'|"([^"]+)")/g)].map(
        ([, page, one, other]) => `${page}: ${one ?? other}`,
      ),
    );
    const code = BLOCKS.filter(({ language }) => language !== 'text');
    expect(code.length).toBeGreaterThan(25);
    expect(
      code.map(({ page, section }) => `${page}: ${section}`).filter((name) => !tested.has(name)),
    ).toEqual([]);
  });

  it('say what language they are in', () => {
    expect(BLOCKS.filter(({ language }) => language === '')).toEqual([]);
    for (const [page, text] of PAGES)
      expect([page, text.match(/```/g)?.length ?? 0]).toEqual([
        page,
        2 * BLOCKS.filter((block) => block.page === page).length,
      ]);
  });
});

describe('the README', () => {
  it('is one page', () => {
    expect(Buffer.byteLength(PAGES.get('README') ?? '')).toBeLessThanOrEqual(14_000);
  });

  it('leads to all pages, as their index does', () => {
    const pages = globSync('docs/*.md').filter((path) => path !== 'docs/README.md');
    expect(pages.length).toBeGreaterThan(10);
    for (const from of ['README.md', 'docs/README.md'])
      expect(linksOf(from).map(({ path }) => path)).toEqual(expect.arrayContaining(pages));
  });
});

/** The links of a document within the repository. */
const linksOf = (from: string): { path: string; anchor: string; link: string }[] =>
  [...(DOCUMENTS.get(from) ?? '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#');
      return {
        path: path === '' ? from : join(dirname(from), path),
        anchor,
        link: `${from}: ${target}`,
      };
    });

/** The anchors that GitHub gives to the headlines of a document. */
function anchorsOf(path: string): string[] {
  const text = (DOCUMENTS.get(path) ?? '').replaceAll(/^```.*?^```$/gms, '');
  const seen = new Map<string, number>();
  return [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, title = '']) => {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

describe('what is written for people', () => {
  const links = [...DOCUMENTS.keys()].flatMap(linksOf);

  it('links to files and sections that exist', () => {
    expect(links.length).toBeGreaterThan(50);
    const dead = links.filter(
      ({ path, anchor }) =>
        !existsSync(path) || (anchor !== '' && !anchorsOf(path).includes(anchor)),
    );
    expect(dead.map(({ link }) => link)).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...DOCUMENTS].flatMap(([path, text]) =>
      [...text.matchAll(/\bnpm run (?:--silent )?([\w:]+)/g)].map(
        ([, name = '']) => [path, name] as const,
      ),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(([, name]) => !(name in scripts))).toEqual([]);
  });

  /** Paths of source files that a document names. */
  const missingFiles = (path: string): string[] =>
    [...(DOCUMENTS.get(path) ?? '').matchAll(/`((?:src|test|bench|docs|ops|\.ci)\/[\w./-]*)`/g)]
      .map(([, file = '']) => file)
      .filter(
        (file) => !existsSync(file) && !BLOCKS.some(({ code }) => code.startsWith(`// ${file}\n`)),
      );

  // Written for the layout that the source moves to: not in this list any more once it is there.
  const AHEAD: string[] = [];

  it('names files that exist', () => {
    const paths = [...DOCUMENTS.keys()].filter((path) => !AHEAD.includes(path));
    expect(paths.flatMap((path) => missingFiles(path).map((file) => `${path}: ${file}`))).toEqual(
      [],
    );
    for (const path of AHEAD) expect(missingFiles(path)).not.toEqual([]);
  });

  it('answers where something is with at most three files', () => {
    const [, table = ''] = (PAGES.get('architecture') ?? '').split('## Where is …?\n');
    const rows = table.match(/^\| .*\? .*$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(4);
    for (const row of rows) {
      const files = row.match(/`src\/[^`]+`/g) ?? [];
      expect([row, files.length >= 1 && files.length <= 3]).toEqual([row, true]);
    }
  });
});
