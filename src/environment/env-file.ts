import { readFileSync } from 'node:fs';
import { BootError } from '../core/errors/index.js';
import { withoutMark } from '../core/json/index.js';
import type { RawEnvironment } from './raw-environment.js';

/** A line of the file that cannot be parsed. */
export interface EnvFileProblem {
  /** The variable of the line, where it names one. */
  readonly name?: string;
  /** The message, with file and line number, and without the value. */
  readonly text: string;
}

/** The variables of an environment and of a `.env` file together. */
export interface EnvFile {
  readonly variables: RawEnvironment;
  readonly problems: readonly EnvFileProblem[];
}

/**
 * Adds the variables of a `.env` file to `env`. A variable that is set in `env` keeps its value.
 *
 * Each line is `NAME=value`, optionally after `export `. `#` after a blank begins a comment. A value in single quotes
 * or backquotes is taken literally. In other values `${NAME}` is replaced by a variable of `env` or of a line above. A
 * quoted value may have several lines. In double quotes `\n` is a line break and `\"` a quote.
 *
 * @param path a file that need not exist
 * @throws BootError with a line per problem, without values
 */
export function withEnvFile(env: RawEnvironment, path = '.env'): RawEnvironment {
  const { variables, problems } = readEnvFile(env, path);
  if (problems.length > 0) throw new BootError(problems.map(({ text }) => text));
  return variables;
}

/** Like {@link withEnvFile}, but returns the problems. @throws BootError when the file cannot be read */
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

/** A value without quotes, and without the comment behind it. An ambiguous value is a problem. */
function withoutComment(text: string, fail: (what: string) => string): string {
  const value = text.replace(/[ \t]#.*$/, '').trim();
  if (/^['"`]/.test(value)) return fail('has no closing quote, or something behind it');
  return value.includes('#')
    ? fail('has a # within its value; write the value in quotes, or a blank before a comment')
    : value;
}

/** Replaces `${NAME}`, and what matches `escapes`. */
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
    // The message does not repeat the name: it may be a part of a secret.
    return variables.get(name) ?? fail('refers to a variable that is not set');
  });
}
