import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeySet } from '../core/keys/index.js';
import { createDevelopmentKey } from './development-key.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-development-key-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('createDevelopmentKey', () => {
  it.each(['HS512', 'PS256', 'ES384', 'EdDSA'] as const)(
    'writes a key that signs %s',
    async (alg) => {
      const path = join(folder, 'keys', 'file.json');
      expect(await createDevelopmentKey(path, alg, 'k1')).toBe(true);
      expect(KeySet.parse(readFileSync(path, 'utf8'), path).signer(alg, 'k1').alg).toBe(alg);
      expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
      expect(readdirSync(join(folder, 'keys'))).toEqual(['file.json']);
    },
  );

  it('leaves a file alone, and of many processes one writes', async () => {
    const path = join(folder, 'file.json');
    const created = await Promise.all(
      Array.from({ length: 8 }, () => createDevelopmentKey(path, 'HS256', 'k1')),
    );
    expect(created.filter(Boolean)).toHaveLength(1);
    const before = readFileSync(path, 'utf8');
    expect(await createDevelopmentKey(path, 'HS256', 'k1')).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(readdirSync(folder)).toEqual(['file.json']);
  });

  it('stops the boot where it cannot write', async () => {
    writeFileSync(join(folder, 'keys'), '');
    await expect(
      createDevelopmentKey(join(folder, 'keys', 'file.json'), 'HS256', 'k1'),
    ).rejects.toMatchObject({
      name: 'BootError',
      message: expect.stringMatching(/^JWK .*file\.json: its folder cannot be created/),
    });
  });
});
