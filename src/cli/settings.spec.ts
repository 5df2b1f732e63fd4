import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RawEnvironment } from '../environment/index.js';
import { Files } from './files.js';
import { Settings } from './settings.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (env: RawEnvironment = {}): Settings => Settings.read(env, new Files(folder));
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

describe('Settings', () => {
  it('are the environment, and .env for what it leaves open', () => {
    write('.env', 'SIGNER_ALG=ES256\nSIGNER_KID=k1\n');
    const settings = read({ SIGNER_ALG: 'PS256' });
    expect(['SIGNER_ALG', 'SIGNER_KID'].map((name) => settings.given(name))).toEqual([
      'PS256',
      'k1',
    ]);
  });

  it('have the defaults of the gateway, which nobody has given', () => {
    const settings = read({ SIGNER_KID: ' ' });
    expect([settings.text('SIGNER_ALG'), settings.given('SIGNER_ALG')]).toEqual([
      'HS256',
      undefined,
    ]);
    expect(settings.text('SIGNER_JWK_LOCAL_PATH')).toBe('keys/signing.jwks.json');
    expect(settings.given('SIGNER_KID')).toBeUndefined();
    expect(settings.text('NO_SUCH_VARIABLE')).toBe('');
  });

  it('say that .env cannot be read', () => {
    mkdirSync(join(folder, '.env'));
    expect(() => read()).toThrow(/\.env cannot be read \(EISDIR\)/);
  });

  it('whole numbers are nothing else', () => {
    expect(read({ VALIDATOR_LEEWAY: ' 7 ' }).wholeNumber('VALIDATOR_LEEWAY')).toBe(7);
    expect(read().wholeNumber('SIGNER_ACCESS_TTL')).toBe(3600);
    for (const text of ['x', '-1', '1.5', '1e3', '0x10', '9'.repeat(16)])
      expect(() => read({ VALIDATOR_LEEWAY: text }).wholeNumber('VALIDATOR_LEEWAY')).toThrow(
        'VALIDATOR_LEEWAY must be a whole number',
      );
  });

  it('the passphrase is a variable, or a file relative to the working directory', () => {
    write('pass', 'correct horse\n');
    expect(read().passphrase()).toBeUndefined();
    expect(read({ KEY_PASSPHRASE: 'battery' }).passphrase()).toBe('battery');
    expect(read({ KEY_PASSPHRASE_FILE: 'pass' }).passphrase()).toBe('correct horse');
    expect(() => read({ KEY_PASSPHRASE_FILE: 'none' }).passphrase()).toThrow(
      'KEY_PASSPHRASE_FILE cannot be read (ENOENT)',
    );
    expect(() => read({ KEY_PASSPHRASE: 'a', KEY_PASSPHRASE_FILE: 'pass' }).passphrase()).toThrow(
      /choose one/,
    );
  });
});

describe('Files', () => {
  it('are relative to the working directory, and errors name them as they were typed', async () => {
    const files = new Files(folder);
    await files.create('a/b.json', 'text');
    expect((await files.read('./a/b.json')).text).toBe('text');
    expect((await files.read(join(folder, 'a/b.json'))).text).toBe('text');
    await expect(files.create('a/../a/b.json', '')).rejects.toMatchObject({
      message: 'a/../a/b.json: exists already and is not overwritten',
      code: 'EEXIST',
    });
    await expect(files.read('none')).rejects.toThrow(/^none: cannot be read \(ENOENT\)$/);
    await expect(files.read('a/b.json', 3)).rejects.toThrow(/^a\/b\.json: larger than 3 bytes$/);
  });

  it('other errors pass', async () => {
    const error = new Error('unknown');
    await expect(new Files(folder).named('a', () => Promise.reject(error))).rejects.toBe(error);
  });
});
