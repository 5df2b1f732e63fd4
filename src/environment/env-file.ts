import { readFileSync } from 'node:fs';
import { BootError } from '../core/errors/index.js';
import { withoutMark } from '../core/json/index.js';
import type { RawEnvironment } from './raw-environment.js';

/** A line of the file that cannot be understood. */
export interface EnvFileProblem {
  /** The variable that it is about, where there is one. */
  readonly name?: string;
  /** With file and line, without the value. */
  readonly text: string;
}

/** The variables of an environment and of a `.env` file together. */
export interface EnvFile {
  readonly variables: RawEnvironment;
  readonly problems: readonly EnvFileProblem[];
}

/**
 * `env` together with what a `.env` file adds to it; what is in `env` stays.
 *
 * Each line is `NAME=value`, and `export ` may stand before it. `#` after a blank begins a comment. A
 * value in single quotes or backquotes stays as it is. In all others `${NAME}` stands for a variable of
 * `env` or of a line above. A value in quotes may have several lines; in double quotes `\n` is a line
 * break and `\"` a quote.
 *
 * @param path a file that need not exist
 * @throws BootError with a line per problem, without values
 */
export function withEnvFile(env: RawEnvironment, path = '.env'): RawEnvironment {
  const { variables, problems } = readEnvFile(env, path);
  if (problems.length > 0) throw new BootError(problems.map(({ text }) => text));
  return variables;
}

/** The same, where problems are reported together with others. @throws BootError when it cannot be read */
export function readEnvFile(env: RawEnvironment, path: string): EnvFile {
  try {
    return parseEnvFile(readFileSync(path, 'utf8'), env, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { variables: env, problems: [] };
    throw new BootError(`${path} cannot be read (${code})`);
  }
}

/** A blank line or a comment; `NAME=` with a value in quotes or without; anything else. */
const LINES = new RegExp(
  String.raw`[ \t]*(?:#[^\n]*)?(?:\n|$)` +
    String.raw`|[ \t]*(?:export[ \t]+)?(?<name>[\w.-]+)[ \t]*=` +
    String.raw`(?:[ \t]*(?:(?<quote>['\x60])(?<literal>(?:(?!\k<quote>)[\s\S])*)\k<quote>` +
    String.raw`|"(?<quoted>(?:\\[\s\S]|[^"\\])*)")[ \t]*(?:#[^\n]*)?|(?<bare>[^\n]*))(?:\n|$)` +
    String.raw`|[^\n]+(?:\n|$)`,
  'gy',
);

/** @param path of the file, for messages */
export function parseEnvFile(text: string, env: RawEnvironment, path: string): EnvFile {
  const input = withoutMark(text).replaceAll(/\r\n?/g, '\n');
  const variables = new Map(Object.entries(env));
  const problems: EnvFileProblem[] = [];
  for (const match of input.matchAll(LINES)) {
    const line = `${path} line ${input.slice(0, match.index).split('\n').length}`;
    const { name, literal, quoted, bare = '' } = match.groups ?? {};
    if (name === undefined) {
      if (!/^\s*(?:#|$)/.test(match[0])) problems.push({ text: `${line} is not NAME=value` });
      continue;
    }
    if (Object.hasOwn(env, name) && env[name] !== undefined) continue;
    const fail = (what: string): string => {
      problems.push({ name, text: `${line}: ${name} ${what}` });
      return '';
    };
    const value =
      literal ??
      (quoted === undefined
        ? expand(withoutComment(bare, fail), /(?!)/, variables, fail)
        : expand(quoted, /\\[n"]/, variables, fail));
    variables.set(name, value);
  }
  return { variables: Object.fromEntries(variables), problems };
}

/** A value that is not in quotes. What could mean two things is refused. */
function withoutComment(text: string, fail: (what: string) => string): string {
  const value = text.replace(/[ \t]#.*$/, '').trim();
  if (/^['"`]/.test(value)) return fail('has no closing quote, or something behind it');
  return value.includes('#')
    ? fail('has a # within its value; write the value in quotes, or a blank before a comment')
    : value;
}

/** The text with its references to variables, and its escapes, replaced. */
function expand(
  text: string,
  escapes: RegExp,
  variables: ReadonlyMap<string, string | undefined>,
  fail: (what: string) => string,
): string {
  const special = new RegExp(String.raw`${escapes.source}|\$\{([^}]*)\}`, 'g');
  return text.replaceAll(special, (found: string, name?: string) => {
    if (name === undefined) return found === String.raw`\n` ? '\n' : '"';
    if (!/^[\w.-]+$/.test(name))
      return fail('has a ${ that is no ${NAME}; write the value in single quotes to keep it');
    // Not by its name: what looks like one may be a piece of a secret.
    return variables.get(name) ?? fail('refers to a variable that is not set');
  });
}
