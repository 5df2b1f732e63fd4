import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellEnvironment } from './helpers/gateway/project.js';

/** The project's scripts and settings around sources that compile in a second. */
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signet-build-'));
  for (const name of ['package.json', 'nest-cli.json', 'tsconfig.build.json', 'scripts'])
    cpSync(name, path(name), { recursive: true });
  // The types of Node would take longer than everything else.
  const settings = readFileSync('tsconfig.json', 'utf8');
  writeFileSync(path('tsconfig.json'), settings.replace('"types": ["node"]', '"types": []'));
  symlinkSync(resolve('node_modules'), path('node_modules'));
  for (const folder of ['src/cli', 'src/process', 'src/state/sqlite'])
    mkdirSync(path(folder), { recursive: true });
  // What the bundle is made of.
  for (const name of ['process/index', 'cli/run', 'state/sqlite/signet-state-worker'])
    writeFileSync(path(`src/${name}.ts`), 'export {};\n');
  writeFileSync(path('src/cli/main.ts'), "import '../answer.js';\n");
  writeFileSync(path('src/answer.ts'), answer(42));
  await runKeys();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A source that prints a number. */
const answer = (number: number): string =>
  `declare const console: { log(value: number): void };\nconsole.log(${number});\n`;

const path = (name: string): string => join(directory, name);

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: { keys: string };
};
/** What `npm run keys` runs, without the start of npm. */
const SCRIPT = ['sh', '-c', scripts.keys];
const NPM = ['npm', 'run', '--silent', 'keys'];

/** Runs it, and says whether it built: a build makes a new `dist`. */
async function runKeys([command = '', ...args] = SCRIPT): Promise<{
  built: boolean;
  stdout: string;
  stderr: string;
}> {
  const before = statSync(path('dist'), { throwIfNoEntry: false })?.birthtimeMs;
  const { stdout, stderr } = await promisify(execFile)(command, args, {
    cwd: directory,
    env: shellEnvironment(),
  });
  return { built: statSync(path('dist')).birthtimeMs !== before, stdout, stderr };
}

describe('an npm script that needs dist', () => {
  it('builds nothing the second time, whatever the times of the files are', async () => {
    const now = new Date();
    utimesSync(path('src/answer.ts'), now, now);
    utimesSync(path('dist/answer.js'), now, now);
    expect(await runKeys()).toEqual({ built: false, stdout: '42\n', stderr: '' });
  });

  it('builds after a change of a source, and says how to do without npm', async () => {
    writeFileSync(path('src/answer.ts'), answer(43));
    const { built, stdout, stderr } = await runKeys(NPM);
    expect([built, stdout]).toEqual([true, '43\n']);
    expect(stderr).toContain('Without npm: node dist/cli/main.js keys\n');
    expect((await runKeys(NPM)).built).toBe(false);
  });

  it('builds after a source came or went', async () => {
    writeFileSync(path('src/new.ts'), 'export const one = 1;\n');
    expect((await runKeys()).built).toBe(true);
    expect(existsSync(path('dist/new.js'))).toBe(true);
    rmSync(path('src/new.ts'));
    expect((await runKeys()).built).toBe(true);
    expect(existsSync(path('dist/new.js'))).toBe(false);
  });

  it('builds nothing after a change of a unit spec, which is no part of dist', async () => {
    writeFileSync(path('src/answer.spec.ts'), 'export {};\n');
    expect((await runKeys()).built).toBe(false);
  });

  it('builds after a change of the settings of the compiler', async () => {
    appendFileSync(path('tsconfig.json'), '\n');
    expect((await runKeys()).built).toBe(true);
  });

  it.each(['dist', 'dist/cli/main.js'])('builds when %s is gone', async (name) => {
    rmSync(path(name), { recursive: true });
    expect(await runKeys()).toMatchObject({ built: true, stdout: '43\n' });
    expect(existsSync(path(name))).toBe(true);
  });

  it('builds when what is there is not what was built', async () => {
    appendFileSync(path('dist/answer.js'), 'console.log(44);\n');
    expect(await runKeys()).toMatchObject({ built: true, stdout: '43\n' });
  });

  it('runs nothing after an error of the compiler, and builds again', async () => {
    appendFileSync(path('src/answer.ts'), 'const broken: number = "";\n');
    for (let i = 0; i < 2; i++)
      await expect(runKeys()).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining("Type 'string' is not assignable") as string,
      });
  });
});
