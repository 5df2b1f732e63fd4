import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseToBoot, startGateway } from './helpers/gateway.js';
import { bash, environmentOf, expectSession, readmeBlocks } from './helpers/readme.js';

/** The blocks of the README's tutorial in a copy of the repository, in their order. */
const [
  GENERATE = '',
  SERVICE = '',
  CONTROLLER = '',
  START = '',
  SESSION = '',
  SPEC = '',
  TEST = '',
] = readmeBlocks('Tutorial: an orders module');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signet-tutorial-'));
  const files = [
    'src',
    'scripts',
    'test/helpers',
    'package.json',
    'nest-cli.json',
    'vitest.config.ts',
  ];
  for (const name of [...files, 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(name, join(directory, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Writes a block to the file that its first line names. */
function write(block: string): void {
  const [, name = ''] = /^\/\/ (\S+)$/m.exec(block) ?? [];
  writeFileSync(join(directory, name), block);
}
/** `dist/main.js` of the copy in place of the repository's. */
const COPY = ['bash', '-c', 'exec "$0" dist/main.js'];

describe('the tutorial', () => {
  it('makes a module that is wired in, and compiles', async () => {
    const said = await bash(GENERATE, {}, directory);
    expect(said.match(/^UPDATE .*\.module\.ts/gm)).toEqual([
      'UPDATE src/app.module.ts',
      'UPDATE src/orders/orders.module.ts',
      'UPDATE src/orders/orders.module.ts',
    ]);
    for (const block of [SERVICE, CONTROLLER, SPEC]) write(block);
    expect(
      await bash('npx tsc --noEmit -p tsconfig.json && npm run --silent build', {}, directory),
    ).toBe('');
  }, 180_000);

  it('does not boot without roles for its admin route', async () => {
    const { code, output } = await refuseToBoot({}, directory, COPY);
    expect([code, output]).toEqual([1, expect.stringMatching(/GET \/orders.*adminRoles/)]);
  });

  it('gives what it says', async () => {
    const gateway = await startGateway(environmentOf(START), directory, COPY);
    const [receipt = ''] = await expectSession(SESSION, gateway.url);
    const [header, claims] = receipt
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as object);
    expect(header).toEqual({ alg: 'HS256', kid: 'sim2', typ: 'receipt+jwt' });
    expect(claims).toMatchObject({ sub: '0987654321poiuytrewq', order: 1, item: 'tea' });
    await gateway.stop();
  });

  it('has a test that passes', async () => {
    const said = await bash(TEST, { NO_COLOR: '1' }, directory);
    expect(said).toMatch(/Tests\s+1 passed/);
  }, 60_000);
});
