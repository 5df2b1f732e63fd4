import * as fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { visibleInJson } from '../core/text/index.js';
import { isoTime } from './iso-time.js';
import { lineWriter, type LineMembers } from './request-lines.js';

afterEach(() => vi.useRealTimers());

/** The line that pino writes, and ours. */
function both(level: 'debug' | 'info' | 'error', members: LineMembers, msg: string): string[] {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const hooks = { streamWrite: (line: string) => visibleInJson(line, false) };
  const options = { level: 'trace', base: undefined, timestamp: isoTime, hooks };
  pino(options, { write })[level](members, msg);
  lineWriter(write)(level, members, msg);
  return lines;
}

const TEXT = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u007f', '\u202e', '\ud800', 'é', '😀'),
  }),
);

it('writes what pino writes', () => {
  vi.useFakeTimers({ now: 1_800_000_000_007 });
  fc.assert(
    fc.property(
      fc.constantFrom('debug', 'info', 'error'),
      TEXT,
      fc.option(TEXT, { nil: undefined }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      TEXT,
      (level, request_id, reason, status, ms, msg) => {
        const [expected, line] = both(
          level,
          { request_id, reason, status, ms, aborted: true },
          msg,
        );
        expect(line).toBe(expected);
      },
    ),
  );
});

it('looks at no text a second time, and at no number', () => {
  // What pino does per line: it asks each value for its JSON.
  const stringify = vi.spyOn(JSON, 'stringify');
  lineWriter(() => undefined)('info', { code: 'token_missing', status: 401, reason: 'none' }, 'x');
  expect(stringify).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

it.each([0, 7, 42, 999])('tells the time to the millisecond: .%i', (ms) => {
  vi.useFakeTimers({ now: 1_800_000_000_000 + ms });
  const text = `,"time":"${new Date(1_800_000_000_000 + ms).toISOString()}"`;
  expect([isoTime(), isoTime()]).toEqual([text, text]);
});
