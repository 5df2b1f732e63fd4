import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { Files } from '../../files.js';
import { Settings } from '../../settings.js';
import {
  addOption,
  algOption,
  fileOption,
  kidOption,
  numberOption,
  stateOption,
} from './options.js';

function parse(...argv: string[]): Record<string, unknown> {
  const settings = new Settings({ SIGNER_JWK_LOCAL_PATH: 'own.json' }, new Files('/'));
  return new Command()
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addOption(fileOption(settings))
    .addOption(algOption('algorithm'))
    .addOption(kidOption())
    .addOption(stateOption())
    .addOption(addOption())
    .addOption(numberOption('--bits <n>', 'size', 2048))
    .parse(argv, { from: 'user' })
    .opts();
}

describe('the options of signet keys', () => {
  it('default to the file of the gateway, and to nothing else', () => {
    expect(parse()).toEqual({ file: 'own.json' });
  });

  it('are taken as they are', () => {
    const argv = '--file a.json --alg PS512 --kid k/1 --state pending --add --bits 2048';
    expect(parse(...argv.split(' '))).toEqual({
      file: 'a.json',
      alg: 'PS512',
      kid: 'k/1',
      state: 'pending',
      add: true,
      bits: 2048,
    });
    expect(parse('--kid', 'x'.repeat(256))).toMatchObject({ kid: 'x'.repeat(256) });
  });

  it.each([
    ['--alg', 'none', /HS256/],
    ['--alg', 'hs256', /HS256/],
    ['--state', 'asleep', /pending/],
    ['--kid', '', /1 to 256 characters/],
    ['--kid', 'a b', /without spaces/],
    ['--kid', 'a\u0007', /without spaces/],
    ['--kid', 'x'.repeat(257), /1 to 256/],
    ['--bits', '2047', /whole number from 2048/],
    ['--bits', '4096.5', /whole number/],
    ['--bits', '1e4', /whole number/],
    ['--bits', '-4096', /whole number/],
    ['--bits', '9'.repeat(13), /whole number/],
  ])('%s %j is refused', (name, value, reason) => {
    expect(() => parse(name, value)).toThrow(reason);
  });
});
