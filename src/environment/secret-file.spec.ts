import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSecretFile } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'signet-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'secret');

it.each([
  ['a secret', 'a secret'],
  ['a line break of an editor', 'a secret\n', 'a secret'],
  ['a line break of Windows', 'a secret\r\n', 'a secret'],
  ['a byte order mark', '\uFEFFa secret\n', 'a secret'],
  ['blanks and line breaks within', ' a\nsecret \n\n', ' a\nsecret \n'],
])('%s', (_what, contents, secret = contents) => {
  writeFileSync(file, contents);
  expect(readSecretFile('KEY_PASSPHRASE_FILE', file)).toBe(secret);
});

it('is named by its variable where it cannot be read', () => {
  expect(readSecretFile('KEY_PASSPHRASE_FILE', undefined)).toBeUndefined();
  expect(() => readSecretFile('KEY_PASSPHRASE_FILE', join(folder, 'absent'))).toThrow(
    /^KEY_PASSPHRASE_FILE cannot be read \(ENOENT\)$/,
  );
});
