import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SignetLogger } from './index.js';

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
});
