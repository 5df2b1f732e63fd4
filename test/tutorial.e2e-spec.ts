import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileChanges } from './helpers/apps/compile.js';
import { refuseToBoot } from './helpers/gateway/gateway.js';
import { call } from './helpers/network/http.js';
import {
  bash,
  BLOCKS,
  blocksOf,
  environmentOf,
  expectSession,
  startAsPrinted,
  startByDefaults,
  writeBlock,
} from './helpers/pages/manual.js';

/** The manual from the README to the recipes, in its order, in one copy of the repository. */
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signet-tutorial-'));
  copy('src', 'dist', 'scripts', 'package.json', 'nest-cli.json');
  copy('tsconfig.json', 'tsconfig.build.json');
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Without the unit specs of the project, which need much else. */
const copy = (...names: string[]): void => {
  const filter = (path: string): boolean => !path.endsWith('.spec.ts');
  for (const name of names) cpSync(name, join(directory, name), { recursive: true, filter });
};

/** `dist/main.js` of the copy in place of the repository's. */
const COPY = ['bash', '-c', 'exec "$0" dist/main.js'];

describe('the first start', () => {
  it('makes a key', async () => {
    const [start] = blocksOf('README', '60 seconds', 'bash', 'bash');
    // Nothing is changed yet: the repository's own build will do.
    const gateway = await startByDefaults(environmentOf(start), directory);
    expect(gateway.output()).toContain("fresh HS256 key 'sim2'");
    await gateway.stop();
  });
});

describe('the tutorial', () => {
  it('makes a module that is wired in, and compiles', async () => {
    const [generate] = blocksOf('tutorial', 'Generate the module', 'bash');
    const said = await bash(generate, {}, directory);
    expect(said.match(/^UPDATE .*\.module\.ts/gm)).toEqual([
      'UPDATE src/app.module.ts',
      'UPDATE src/orders/orders.module.ts',
      'UPDATE src/orders/orders.module.ts',
    ]);
    for (const block of [
      ...blocksOf('tutorial', 'The service', 'ts'),
      ...blocksOf('tutorial', 'The controller', 'ts'),
      blocksOf('tutorial', 'Test it', 'ts', 'bash')[0],
    ])
      writeBlock(block, directory);
    // As CONTRIBUTING.md has it; what it makes is looked at below.
    const resource = await bash('npx nest g resource items --type rest --crud', {}, directory);
    expect(resource).toContain('UPDATE src/app.module.ts');
    expect(resource).not.toContain('.spec.ts');
    expect(compileChanges(directory)).toBe('');
    await bash('node scripts/bundle.mjs', {}, directory);
  }, 180_000);

  it('does not boot without roles for its admin route', async () => {
    const { code, output } = await refuseToBoot({}, directory, COPY);
    expect([code, output]).toEqual([1, expect.stringMatching(/GET \/orders.*admin_?roles/i)]);
  });

  it('gives what it says', async () => {
    const [start] = blocksOf('tutorial', 'Start it', 'bash');
    const [session] = blocksOf('tutorial', 'Try it', 'bash');
    const gateway = await startAsPrinted(start, directory, {}, COPY);
    const [receipt = ''] = await expectSession(session, gateway.url);
    const [header, claims] = receipt
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as object);
    expect(header).toEqual({ alg: 'HS256', kid: 'sim2', typ: 'receipt+jwt' });
    expect(claims).toMatchObject({ sub: '0987654321poiuytrewq', order: 1, item: 'tea' });
    await expectSession(blocksOf('tutorial', 'Ask why', 'bash')[0], gateway.url);
    expect((await call(`${gateway.url}/items/7`)).text).toBe('This action returns a #7 item');
    await gateway.stop();
  });

  it('has a test that passes', async () => {
    copy('test/helpers', 'test/setup', 'vitest.config.ts');
    const [, test] = blocksOf('tutorial', 'Test it', 'ts', 'bash');
    const said = await bash(test, { NO_COLOR: '1' }, directory);
    expect(said).toMatch(/Tests\s+1 passed/);
  }, 60_000);
});

/** What the sessions of each recipe show is tested in `use-cases/`. */
describe('the recipes after it', () => {
  it('start, one after the other', async () => {
    await bash(blocksOf('recipes', 'A key for ES256', 'bash')[0], {}, directory);
    const starts = BLOCKS.filter(
      ({ page, code }) => page === 'recipes' && / npm start$/m.test(code),
    );
    expect(starts).toHaveLength(7);
    for (const { code } of starts) {
      // Ports of this machine may be taken; a callee waits for the issuer's keys in the background.
      const ports = { PORT: '0', MANAGEMENT_PORT: '0' };
      const gateway = await startAsPrinted(code, directory, ports, COPY);
      expect(gateway.output()).toContain('Listening');
      await gateway.stop();
    }
  }, 180_000);
});
