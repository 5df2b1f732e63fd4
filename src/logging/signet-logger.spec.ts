import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SignetLogger } from './index.js';
import { VISIBLE } from './signet-logger.js';

const lines: Record<string, unknown>[] = [];
const stream = new Writable({
  write: (chunk: Buffer, _encoding, done) => {
    lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
    done();
  },
});
const logger = new SignetLogger(
  pino(
    {
      level: 'trace',
      base: undefined,
      timestamp: false,
      hooks: VISIBLE,
      formatters: { level: (level) => ({ level }) },
    },
    stream,
  ),
);

beforeEach(() => void (lines.length = 0));

describe('SignetLogger', () => {
  it('writes the levels of Nest as those of pino, with the context', () => {
    logger.log('a', 'Part');
    logger.warn('b', 'Part');
    logger.error('c', 'Part');
    logger.debug('d', 'Part');
    logger.verbose('e', 'Part');
    logger.fatal('f', 'Part');
    expect(lines).toEqual(
      ['info', 'warn', 'error', 'debug', 'trace', 'fatal'].map((level, index) => ({
        level,
        context: 'Part',
        msg: 'abcdef'[index],
      })),
    );
  });

  it('is quiet about the start of Nest, and silent about what stops a boot', () => {
    logger.log('Starting Nest application...', 'NestFactory');
    logger.error('why', 'stack', 'ExceptionHandler');
    expect(lines).toEqual([
      { level: 'debug', context: 'NestFactory', msg: 'Starting Nest application...' },
    ]);
  });

  it('writes members of a line, and errors with their stack', () => {
    logger.warn({ msg: 'x', code: 'y' }, 'Part');
    logger.error(new TypeError('broken'), 'Part');
    expect(lines).toMatchObject([
      { level: 'warn', context: 'Part', msg: 'x', code: 'y' },
      { level: 'error', context: 'Part', msg: 'broken', err: { type: 'TypeError' } },
    ]);
  });

  it.each([
    ['a line break', 'a\nb', 'a\\u000ab'],
    ['a carriage return', 'a\rb', 'a\\u000db'],
    ['an escape', '\u001B[2Jx', '\\u001b[2Jx'],
    ['a control character of C1', '\u009B31mx', '\\u009b31mx'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['text from right to left', 'a\u202Eb\u2066c\u200F', 'a\\u202eb\\u2066c\\u200f'],
    ['what is no control character', 'Ünï 🔑 ab', 'Ünï 🔑 ab'],
  ])('shows %s, in messages and in members of a line', (_what, text, shown) => {
    logger.warn(text, 'Part');
    logger.warn({ msg: text, reason: text, status: 401, code: 'y' }, 'Part');
    logger.error(new TypeError(text), 'Part');
    expect(lines).toMatchObject([
      { msg: shown },
      { msg: shown, reason: shown, status: 401, code: 'y' },
      { msg: shown },
    ]);
  });
});
