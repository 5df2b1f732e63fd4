import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const { FLOORS, importProblem, roomOf } = (await import(resolve('lint/rooms.mjs'))) as {
  FLOORS: readonly (readonly string[])[];
  importProblem: (file: string, specifier: string, typeOnly?: boolean) => string | undefined;
  roomOf: (file: string) => string;
};

describe('the rule of rooms', () => {
  it.each([
    // file, import, what is wrong with it
    ['auth/auth.guard.ts', '../core/verify/index.js', 'none'],
    ['auth/auth.guard.ts', './jwt-verifier.service.js', 'none'],
    ['state/redis/redis.store.ts', '../state-store.js', 'none'],
    ['core/jws/parse-compact.ts', '../errors/index.js', 'none'],
    ['core/jws/parse-compact.ts', 'node:crypto', 'none'],
    ['auth/auth.guard.ts', '../core/verify/claim-checks.js', 'core/verify has a door'],
    ['core/jws/parse-compact.ts', '../errors/boot.error.js', 'core/errors has a door'],
    ['process/serve.ts', '../app.module.js', 'none'],
    ['core/jws/parse-compact.ts', '../keys/index.js', 'imports go down only'],
    ['backend/backend.module.ts', '../auth/index.js', 'imports go down only'],
    ['token/token.controller.ts', '../private/index.js', 'imports go down only'],
    ['core/keys/key-set.ts', '@nestjs/common', 'core knows no framework'],
    ['core/keys/key-set.ts', 'node:http', 'core knows no framework'],
    ['core/keys/key-set.ts', 'class-validator', 'core knows no framework'],
    ['environment/fields.ts', '@nestjs/config', 'there is no Nest'],
    ['nowhere/file.ts', '../core/jws/index.js', 'no floor yet'],
    ['core/keys/key-set.spec.ts', '../../auth/index.js', 'none'],
    ['core/keys/key-set.spec.ts', '../../auth/auth.guard.js', 'auth has a door'],
  ])('%s imports %s: %s', (file, specifier, problem) => {
    expect(importProblem(file, specifier) ?? 'none').toContain(problem);
  });

  it('lets types of node:http into core, which loads nothing', () => {
    expect(importProblem('core/verify/bearer-token.ts', 'node:http', true)).toBeUndefined();
    expect(importProblem('core/verify/bearer-token.ts', 'node:http', false)).toBeDefined();
  });

  it('has a floor and a door for every room of src', () => {
    const files = globSync('src/**/*.ts').map((file) => file.slice('src/'.length));
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].toSorted()).toEqual(FLOORS.flat().toSorted());
    const doors = new Set(files.filter((file) => file.endsWith('/index.ts')).map(roomOf));
    const ofOneFile = ['app.module', 'main', 'index'];
    expect([...rooms.difference(doors)].toSorted()).toEqual(ofOneFile.toSorted());
  });

  it('has folders by subject where many files would stand side by side', () => {
    const files = globSync(['src/**/*.ts', 'test/**/*.{ts,mjs}'], {
      exclude: ['**/node_modules/**'],
    }).filter((file) => !file.endsWith('spec.ts'));
    const folders = Map.groupBy(files, (file) => dirname(file));
    expect(folders.size).toBeGreaterThan(50);
    expect([...folders].filter(([, inside]) => inside.length > 20).map(([name]) => name)).toEqual(
      [],
    );
  });
});

describe('the gateway', () => {
  it('is built of what the package exports, but for its configuration, its pages, and the template of a route', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const source = readFileSync('src/app.module.ts', 'utf8');
    const rooms = [...source.matchAll(/(?:from|import\() ?'\.\/([\w-]+)\/index\.js'/g)].map(
      ([, room = '']) => room,
    );
    expect(rooms.length).toBeGreaterThan(15);
    expect(rooms.filter((room) => !(`./${room}` in exports)).toSorted()).toEqual([
      'config',
      'pages',
      'private',
    ]);
  });
});

describe('the linter', () => {
  const directory = mkdtempSync(join(tmpdir(), 'signet-lint-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('applies it to imports, exports, dynamic imports and types', () => {
    const file = join(directory, 'src/backend/x.ts');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      `import { a } from '../auth/index.js';
export { b } from '../http/deep.js';
export const c = await import('../token/index.js');
export type D = import('../core/jws/deep.js').D;
export * from '../session/index.js';
export const e = a;
`,
    );
    writeFileSync(
      join(directory, '.oxlintrc.json'),
      JSON.stringify({
        jsPlugins: [resolve('lint/rooms.mjs')],
        categories: { correctness: 'off' },
        rules: { 'rooms/doors': 'error' },
      }),
    );
    let output = '';
    try {
      execFileSync(resolve('node_modules/.bin/oxlint'), ['--format', 'unix', '.'], {
        cwd: directory,
        encoding: 'utf8',
      });
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    const lines = [...output.matchAll(/x\.ts:(\d):/g)].map(([, line]) => Number(line));
    expect(lines.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
  });

  it('is suppressed nowhere', () => {
    const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'bench/*.ts', 'lint/*.mjs'], {
      exclude: ['**/node_modules/**'],
    });
    const suppressed = /(?:ox|es)lint-disable|@ts-ignore/;
    const found = files.filter(
      (file) => file !== 'test/rooms.spec.ts' && suppressed.test(readFileSync(file, 'utf8')),
    );
    expect(found).toEqual([]);
  });
});
