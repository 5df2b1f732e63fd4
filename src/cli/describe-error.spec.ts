import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { BootError } from '../core/errors/index.js';
import { FileError } from '../core/files/index.js';
import { KeyError } from '../core/keys/index.js';
import { CommandError } from './command.error.js';
import { describeError } from './describe-error.js';
import { algOption, numberOption } from './keys/commands/options.js';
import { SignetCommand } from './signet-command.js';

describe('describeError', () => {
  it('gives one line per problem, without anything that could break it', () => {
    expect(describeError(new BootError(['PORT is wrong', 'HOST is\nwrong']))).toEqual([
      'PORT is wrong',
      'HOST is wrong',
    ]);
    expect(describeError(new CommandError(['a', "kid '\u001b[2J' is bad"]))).toEqual([
      'a',
      "kid ' [2J' is bad",
    ]);
    expect(describeError(new KeyError("kid 'a\r\nb' is bad"))).toEqual(["kid 'a b' is bad"]);
    expect(describeError(new FileError('keys.json', 'cannot be read (ENOENT)', 'ENOENT'))).toEqual([
      'keys.json: cannot be read (ENOENT)',
    ]);
  });

  it('tells nothing of an error that nobody knows', () => {
    expect(describeError(new SyntaxError('Unexpected token in {"k":"c2VjcmV0"}'))).toEqual([
      'unexpected error (SyntaxError)',
    ]);
    expect(describeError(Object.assign(new Error('c2VjcmV0'), { code: 'ERR_OSSL' }))).toEqual([
      'unexpected error (ERR_OSSL)',
    ]);
    // A message that looks like one of commander's.
    expect(describeError(new Error("error: unknown option 'c2VjcmV0'"))).toEqual([
      'unexpected error (Error)',
    ]);
  });
});

describe('a complaint about the command line', () => {
  /** What commander says about these arguments, as we tell it. */
  function complaint(...argv: string[]): readonly string[] {
    const program = new SignetCommand('signet').exitOverride().version('1.2.3');
    program.configureOutput({
      writeOut: () => undefined,
      writeErr: () => undefined,
    });
    const keys = program.command('keys');
    keys
      .command('import')
      .option('--secret-file <path>')
      .addOption(algOption('algorithm'))
      .addOption(numberOption('--bits <n>', 'size', 2048))
      .action(() => undefined);
    keys
      .command('retire')
      .argument('<kid>')
      .argument('[bits]', 'size', (text) => {
        throw new InvalidArgumentError(`Not ${text.length} characters.`);
      })
      .action(() => undefined);
    keys.command('add').action(() => undefined);
    program
      .command('clients')
      .command('add')
      .action(() => undefined);
    try {
      program.parse(argv, { from: 'user' });
    } catch (error) {
      return describeError(error);
    }
    return ['no complaint'];
  }

  it('is none where nothing is wrong', () => {
    expect(complaint('--help')).toEqual([]);
    expect(complaint('keys', '--help')).toEqual([]);
    expect(complaint('--version')).toEqual([]);
    expect(complaint('keys', 'import')).toEqual(['no complaint']);
  });

  it('suggests what may have been meant', () => {
    expect(complaint('kyes')).toEqual(["unknown command 'kyes' (Did you mean keys?)"]);
    expect(complaint('keys', 'imprt')).toEqual(["unknown command 'imprt' (Did you mean import?)"]);
    expect(complaint('keys', 'import', '--secretfile', 'x')).toEqual([
      "unknown option '--secretfile' (Did you mean --secret-file?)",
    ]);
    expect(complaint('keys', 'import', '--secretfile=x')).toEqual([
      "unknown option '--secretfile=…' (Did you mean --secret-file?)",
    ]);
    expect(complaint('keys', 'import', '--alg', 'hs265')).toEqual([
      expect.stringMatching(/^option '--alg <alg>' argument is invalid\..* Did you mean HS256\?$/),
    ]);
    expect(complaint('keys', 'import', '--alg', 'something-else')[0]).not.toContain('Did you mean');
  });

  it('finds a command of another group, with all that has to be typed', () => {
    expect(complaint('retrie')).toEqual([
      "unknown command 'retrie' (Did you mean signet keys retire?)",
    ]);
    // In more than one group.
    expect(complaint('ad')).toEqual([
      "unknown command 'ad' (Did you mean signet keys add or signet clients add?)",
    ]);
    expect(complaint('keys', 'clients')).toEqual([
      "unknown command 'clients' (Did you mean signet clients?)",
    ]);
    expect(complaint('keys', 'nothing-like-it')).toEqual(["unknown command 'nothing-like-it'"]);
  });

  it('names what is missing', () => {
    expect(complaint('keys', 'retire')).toEqual(["missing required argument 'kid'"]);
    expect(complaint('keys', 'import', '--alg')).toEqual(["option '--alg <alg>' argument missing"]);
  });

  const secrets = [
    'Xq3bL0pVvC2yJ4mT8wZ1nR6sK9dF5gH7aE0uI3oP2xQ',
    // Looks like an option.
    '-q3bL0pVvC2yJ4mT8wZ1nR6sK9dF5gH7aE0uI3oP2xQ',
    '--3bL0pVvC2yJ4mT8wZ1nR6sK9dF5gH7aE0uI3oP2xQ',
    '--secret=q3bL0pVvC2yJ4mT8wZ1nR6sK9dF5gH7aE0u',
    "--secret=it's q3bL0pVvC2yJ4mT8wZ1nR6sK9dF5gH",
    'q3bL0pVv\u2028C2yJ4mT8wZ1nR6sK9dF5gH7aE0uI3oP2x',
    "q3bL0pVvC2yJ' (Did you mean 4mT8wZ1nR6sK9d?)",
    "q3bL0pVvC2yJ' is invalid. 4mT8wZ1nR6sK9dF5gH",
    'q3bL0pVvC2yJ but got 1: 4mT8wZ1nR6sK9dF5gH7a',
    'correct horse battery staple\nand some more',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ];
  it.each(secrets)('repeats nothing of the value %j', (secret) => {
    for (const argv of [
      [secret],
      ['keys', secret],
      ['keys', 'import', secret],
      ['keys', 'import', '--', secret],
      ['keys', 'import', '--alg', secret],
      ['keys', 'import', `--alg=${secret}`],
      ['keys', 'import', '--bits', secret],
      ['keys', 'import', `--unknown=${secret}`],
      ['keys', 'retire', 'kid', secret],
      ['keys', 'retire', 'kid', '1', secret],
    ]) {
      const lines = complaint(...argv);
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toBe('no complaint');
      // The line contains no eight consecutive characters of the secret, except in our own words.
      const known = 'unknown option --secret=… keys command did you mean is invalid. but got 1:';
      const pieces = Array.from({ length: secret.length - 7 }, (_, i) => secret.slice(i, i + 8));
      const repeated = pieces.filter(
        (piece) => lines[0]?.includes(piece) && !known.includes(piece),
      );
      expect(repeated).toEqual([]);
    }
  });
});
