import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { startGateway } from './helpers/gateway/gateway.js';
import { workersOf } from './helpers/gateway/processes.js';

/** What a process tells of itself at its end. */
interface Counts {
  modules: string[];
  /** Those of Node, its own ones included. */
  builtins: string[];
  /** How often an environment was checked. */
  checks: number;
  cpuMs: number;
}

const directory = mkdtempSync(join(tmpdir(), 'signet-counts-'));
afterAll(() => rmSync(directory, { recursive: true }));

const COUNTING = {
  SIGNET_COUNTS: directory,
  NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/helpers/gateway/count-modules.mjs')).href}`,
};
const countsOf = (name: number | string | undefined): Counts =>
  JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Counts;

/** Runs Node to its end, which may be a failure; gives its counts and what it wrote to stderr. */
async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Counts & { stderr: string }> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: directory, env: { ...COUNTING, ...env } },
      (_error, _stdout, stderr) => done({ ...countsOf(child.pid), stderr }),
    );
  });
}

/** What is loaded for an import of built files. */
async function modulesOf(...paths: readonly string[]): Promise<string[]> {
  const code = paths
    .map((path) => `await import(${JSON.stringify(pathToFileURL(resolve(path)).href)});`)
    .join('\n');
  const { modules, stderr } = await run(['--input-type=module', '-e', code]);
  expect(stderr).toBe('');
  return modules.filter((url) => url.startsWith('file:'));
}

/** The packages among loaded modules. */
const packagesIn = (modules: readonly string[]): string[] => [
  ...new Set(
    modules.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
  ),
];

describe('what is loaded', () => {
  it('for core: fewer than 60 modules, and no package', async () => {
    const modules = await modulesOf('dist/core/index.js');
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.length).toBeLessThan(60);
    expect(packagesIn(modules)).toEqual([]);
  });

  it('for the environment: fewer than 250 modules, class-validator and nothing else', async () => {
    const modules = await modulesOf('dist/environment/index.js');
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.length).toBeLessThan(250);
    expect(packagesIn(modules)).toEqual(['class-validator']);
  });

  it('for the options of all modules: nothing of Nest', async () => {
    const modules = await modulesOf('dist/config/index.js');
    expect(packagesIn(modules).filter((name) => /^@nestjs\/|^rxjs|^express/.test(name))).toEqual(
      [],
    );
  });

  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, { default?: string }>;
  };
  /** Packages that only some parts need. */
  const OF_FEW = [
    'axios',
    '@nestjs/axios',
    'redis',
    'pino',
    'pino-pretty',
    'commander',
    '@nestjs/swagger',
    '@nestjs/config',
    '@prometheus-io/client',
    '@opentelemetry/sdk-trace',
  ];
  const fewIn = async (...paths: readonly string[]): Promise<string[]> => {
    const loaded = packagesIn(
      await modulesOf(...paths.map((path) => exports[path]?.default ?? '')),
    );
    return OF_FEW.filter((name) => loaded.includes(name));
  };
  /** The subpaths that load one of these, and which. */
  const MAY_LOAD = {
    './metrics': '@prometheus-io/client',
    './tracing': '@opentelemetry/sdk-trace',
  };

  it.each(Object.entries(MAY_LOAD))('for the subpath %s: of these %s alone', async (path, name) => {
    expect(await fewIn(path)).toEqual([name]);
  });

  it('for each other subpath: none of these', async () => {
    const others = Object.keys(exports).filter(
      (path) => exports[path]?.default !== undefined && !(path in MAY_LOAD),
    );
    expect(others.length).toBeGreaterThan(15);
    // What is not loaded for all of them is not loaded for one.
    expect(await fewIn(...others)).toEqual([]);
  });

  it('by the primary of a cluster: nothing of Nest; each process checks the environment once', async () => {
    const gateway = await startGateway({ ...COUNTING, SIGNET_COUNT_CHECKS: 'true', WORKERS: '2' });
    const workers = workersOf(gateway.process.pid);
    expect((await fetch(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
    expect(await gateway.stop()).toBe(0);
    const primary = countsOf(gateway.process.pid);
    expect(primary.modules.filter((url) => /@nestjs|\/rxjs\//.test(url))).toEqual([]);
    expect(primary.modules.some((url) => url.endsWith('/worker-pool.js'))).toBe(true);
    expect(primary.checks).toBe(1);
    expect(workers).toHaveLength(2);
    for (const worker of workers.map(countsOf)) {
      expect(worker.checks).toBe(1);
      expect(packagesIn(worker.modules)).toContain('@nestjs/core');
    }
  });

  it('by a single process: the environment is checked once', async () => {
    const gateway = await startGateway({ ...COUNTING, SIGNET_COUNT_CHECKS: 'true' });
    expect(await gateway.stop()).toBe(0);
    expect(countsOf(gateway.process.pid).checks).toBe(1);
  });
});

describe('a start from the bundle', () => {
  const BUNDLED = { ...COUNTING, SIGNET_COUNT_BUNDLE: 'true' };

  it('loads fewer than 50 files, one in its thread, and of Nest none that is not in the bundle', async () => {
    const gateway = await startGateway(BUNDLED);
    expect(await gateway.stop()).toBe(0);
    const { modules, builtins } = countsOf(gateway.process.pid);
    expect(modules.filter((url) => url.startsWith('file:')).length).toBeLessThan(50);
    expect(modules.some((url) => url.includes('/dist/bundle/gateway.js'))).toBe(true);
    expect(packagesIn(modules).filter((name) => name.startsWith('@nestjs/'))).toEqual([]);
    // Node's own undici belongs to fetch, which the gateway does not use.
    expect(builtins).toContain('NativeModule net');
    expect(builtins.filter((name) => name.includes('undici'))).toEqual([]);
    // The thread of SQLite: one file, which needs no loader of ES modules.
    const thread = countsOf(`${gateway.process.pid}-thread`).modules;
    expect(thread.map((url) => url.replace(/.*\/dist/, ''))).toEqual([
      '/bundle/signet-state-worker.cjs',
    ]);
  });

  it('has nothing but ASCII in its text, for which Node keeps one byte per character', () => {
    const files = readdirSync('dist/bundle').filter((name) => /\.c?js$/.test(name));
    expect(files.length).toBeGreaterThan(50);
    const isOther = (name: string): boolean =>
      readFileSync(`dist/bundle/${name}`).some((byte) => byte > 0x7f);
    expect(files.filter(isOther)).toEqual([]);
  });

  it('of the command loads fewer than 8 files, and of Node what it needs', async () => {
    const command = resolve('dist/cli/main.js');
    const file = join(directory, 'keys.json');
    await run([command, 'keys', 'generate', '--file', file]);
    const { modules, builtins } = await run([command, 'keys', 'list', '--file', file], {
      SIGNET_COUNT_BUNDLE: 'true',
    });
    expect(modules.some((url) => url.includes('/dist/bundle/command.js'))).toBe(true);
    expect(modules.length).toBeLessThan(8);
    // The others belong to exports that nobody reads, or to what this command does not do.
    expect(builtins).toContain('NativeModule crypto');
    const tooMuch = /crypto\/webcrypto|fs\/promises|readline|child_process|dgram|worker_threads/;
    expect(builtins.filter((name) => tooMuch.test(name))).toEqual([]);
  });

  it('keeps its compiled code, in a folder that the npm package leaves out', async () => {
    rmSync('dist/bundle/compiled', { recursive: true, force: true });
    // Else what the tests say is where it is kept.
    const gateway = await startGateway({ NODE_COMPILE_CACHE: '' });
    await expect.poll(() => existsSync('dist/bundle/compiled'), { timeout: 10_000 }).toBe(true);
    expect(await gateway.stop()).toBe(0);
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
    expect(files).toContain('!dist/bundle');
  });

  it('gives back the memory that only the start needed', async () => {
    const gateway = await startGateway({
      NODE_OPTIONS: `--import=data:text/javascript,import{setFlagsFromString}from'node:v8';setFlagsFromString('--trace-gc')`,
    });
    // Collections that the heap does not ask for by itself are called "testing".
    await expect
      .poll(() => gateway.output(), { timeout: 10_000 })
      .toMatch(/Mark-Compact \(reduce\).* testing;/);
    expect(await gateway.stop()).toBe(0);
  });
});

describe('an older Node', () => {
  /** As Node 20 says of itself, and without what its `node:module` does not export. */
  const OLD = `data:text/javascript,import module from 'node:module';
    delete module.enableCompileCache; module.syncBuiltinESMExports();
    Object.defineProperty(process.versions, 'node', { value: '20.20.2' });
    Object.defineProperty(process, 'version', { value: 'v20.20.2' });`;

  const GATEWAY_SAYS =
    'signet: Node 24 or newer is needed, this is v20.20.2; npm start uses one that npm ci installs';
  const COMMAND_SAYS = 'signet: nest-signet needs Node 22.19 or newer; this is v20.20.2';

  it.each([
    ['dist/main.js', '', GATEWAY_SAYS],
    ['dist/main.js', 'true', GATEWAY_SAYS],
    ['dist/cli/main.js', '', COMMAND_SAYS],
    ['dist/cli/main.js', 'true', COMMAND_SAYS],
  ])('%s, bundled: %j, says: %s', async (path, SIGNET_COUNT_BUNDLE, message) => {
    const args = ['--import', OLD.replace(/\s*\n\s*/g, ''), resolve(path)];
    expect((await run(args, { SIGNET_COUNT_BUNDLE })).stderr).toBe(`${message}\n`);
  });
});

describe('a boot that is refused for its environment', () => {
  it('costs at most 0.35 s of CPU more than a process that does nothing', async () => {
    const nothing: number[] = [];
    const refused: number[] = [];
    for (let i = 0; i < 5; i++) {
      nothing.push((await run(['-e', '0'])).cpuMs);
      const { cpuMs, modules, stderr } = await run([resolve('dist/main.js')], { PORT: 'x' });
      expect(stderr).toBe('signet: PORT must be a whole number from 0 to 65535\n');
      expect(packagesIn(modules)).toEqual(['class-validator']);
      refused.push(cpuMs);
    }
    // The cheapest run of each: other processes of the machine only add to it.
    expect(Math.min(...refused) - Math.min(...nothing)).toBeLessThan(350);
  });
});
