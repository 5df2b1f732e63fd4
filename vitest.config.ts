import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Threads inherit it; vitest itself compiles only what it imports.
    execArgv: ['--import', './test/helpers/typescript-imports.mjs'],
    include: ['src/**/*.spec.ts', 'test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
    // Two cores: more parallel gateways would only measure each other.
    maxWorkers: 2,
    // Conditions are waited for, not times; a busy machine takes longer.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/**/*.spec.ts'] },
  },
});
