import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const common = {
  // Threads inherit it; vitest itself compiles only what it imports.
  execArgv: [
    '--import',
    './test/helpers/run/typescript-imports.mjs',
    // jose, which checks what we sign, has ML-DSA from Node's Web Crypto, which calls it experimental.
    '--disable-warning=ExperimentalWarning',
  ],
  provide: { thorough: false },
  setupFiles: ['test/setup/each-file.ts', 'test/setup/no-nest-log.ts'],
  // Conditions are waited for, not times; a busy machine takes longer.
  expect: { poll: { timeout: 20_000 } },
  testTimeout: 60_000,
  hookTimeout: 60_000,
} satisfies TestProjectInlineConfiguration['test'];

declare module 'vitest' {
  interface ProvidedContext {
    /** True with the slow tests: what is generated is generated in full numbers. */
    thorough: boolean;
  }
}

/** What takes long: faults and load, packed tarballs, packages of others, the blocks of the manual. */
const SLOW = [
  'test/packages/*.e2e-spec.ts',
  'test/slow/**/*.e2e-spec.ts',
  'test/{build-if-changed,cli-process,cluster,dashboard,forward-proxy,krakend-import,kubernetes,library,manual,modules,npm-start,package,pages,shipping,shutdown,tutorial}.e2e-spec.ts',
];

/** Stores that fail over, millions of entries, applications of users with the packages that they install. */
const LONG = ['test/long/**/*.e2e-spec.ts', 'test/faults/**/*.e2e-spec.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/setup/whole-run.ts'],
    // For two cores: many specs wait for processes and for deadlines. More gateways at a time would only measure
    // each other. `npm run test:slow` takes one more, since its specs wait longer.
    maxWorkers: 3,
    reporters: ['./test/setup/quiet-reporter.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/**/*.spec.ts'] },
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['src/**/*.spec.ts'],
          // They share the modules that they load; none may change what others see.
          isolate: false,
          restoreMocks: true,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      {
        test: {
          ...common,
          // They share the modules that they load, and gateways in one process (helpers/gateway/host.ts).
          isolate: false,
          name: 'e2e',
          include: ['test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
          exclude: [...SLOW, ...LONG],
        },
      },
      {
        test: {
          ...common,
          name: 'slow',
          // What is quick only because it tries little tries everything here.
          include: [
            ...SLOW,
            'src/state/revocations/revocation-index.spec.ts',
            'test/mutation.spec.ts',
            'test/openapi.e2e-spec.ts',
          ],
          provide: { thorough: true },
          globalSetup: ['test/setup/packages.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'long',
          include: LONG,
          globalSetup: ['test/setup/packages.ts'],
        },
      },
    ],
  },
});
