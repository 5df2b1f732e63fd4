import { visibleInJson } from '../core/text/index.js';
import { isoTime } from './iso-time.js';

/** A level of a line, and its number in a line of pino. */
const LEVELS = { debug: 20, info: 30, error: 50 } as const;

/** Members of a line in their order; one that is `undefined` is left out. */
export type LineMembers = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line. Its level has to be enabled. */
export type LineWriter = (level: keyof typeof LEVELS, members: LineMembers, msg: string) => void;

/** What JSON and `visibleInJson` leave as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Names of members, which are those in our code. */
const names = new Map<string, string>();

/**
 * Writes a line as pino does, member for member, for lines of which there is one per request: pino looks for
 * serializers, symbols and formatters in each of them, and at each character twice: -30 % CPU of a line, -4 % of a 401
 * (bench/README.md, 2026-11-28).
 *
 * @param write takes a line with its end
 */
export const lineWriter =
  (write: (line: string) => void): LineWriter =>
  (level, members, msg) => {
    let line = `{"level":${LEVELS[level]}${isoTime()}`;
    for (const name in members) {
      const value = members[name];
      if (value !== undefined)
        line += nameOf(name) + (typeof value === 'string' ? quoted(value) : value);
    }
    write(`${line},"msg":${quoted(msg)}}\n`);
  };

function nameOf(name: string): string {
  let text = names.get(name);
  if (text === undefined) names.set(name, (text = `,${quoted(name)}:`));
  return text;
}

/** A text as a value of JSON in which nothing steers. */
const quoted = (text: string): string =>
  PLAIN.test(text) ? `"${text}"` : visibleInJson(JSON.stringify(text), false);
