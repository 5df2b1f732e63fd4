import { isDeeperThan, isJsonObject } from '../../../core/json/index.js';
import { CommandError } from '../../command.error.js';

const MAX_NESTING = 100;

/**
 * Parses a configuration: JSON, YAML or TOML, by the extension of the file or, with another extension, by trying each.
 *
 * @param source name of the file
 * @param anyValue true: a list or a single value is accepted as well
 * @throws CommandError when the text has none of these formats, is not an object, or nests too deep
 */
export async function readText(text: string, source: string): Promise<object>;
export async function readText(text: string, source: string, anyValue: true): Promise<unknown>;
export async function readText(text: string, source: string, anyValue = false): Promise<unknown> {
  const value = await parse(text.replace(/^\uFEFF/, ''), source);
  if (!anyValue && !isJsonObject(value)) throw new CommandError(`${source} is not an object`);
  if (isDeeperThan(MAX_NESTING, value))
    throw new CommandError(`${source} nests deeper than ${MAX_NESTING} levels`);
  return value;
}

async function parse(text: string, source: string): Promise<unknown> {
  const formats = formatsOf(source);
  const reasons: string[] = [];
  for (const { name, read } of formats)
    try {
      return await read(text);
    } catch (error) {
      // The parser is not installed, so another format would not help.
      if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
      reasons.push(`${name} (${reasonOf(error as Error)})`);
    }
  throw new CommandError(`${source} is not ${reasons.join(', nor ')}`);
}

/** Returns the reason without the text that parsers quote after or below it: it may contain a secret. */
const reasonOf = ({ message }: Error): string =>
  (message.split('\n', 1)[0] ?? '').replace(/(?:,|:)? (?:\.\.\.)?["'].*$/, '').slice(0, 120);

interface Format {
  readonly name: string;
  readonly ends: RegExp;
  readonly read: (text: string) => unknown;
}

/** The libraries are loaded only for files that need them. */
const FORMATS: readonly Format[] = [
  { name: 'JSON', ends: /\.json$/i, read: (text) => JSON.parse(text) as unknown },
  {
    name: 'TOML',
    ends: /\.toml$/i,
    read: async (text) => {
      const { parse: parseToml } = await import('smol-toml');
      // JSON turns tables, which have no prototype, into plain objects that can be compared, and dates into text.
      return JSON.parse(JSON.stringify(parseToml(text))) as unknown;
    },
  },
  {
    name: 'YAML',
    ends: /\.ya?ml$/i,
    read: async (text) => {
      const { parse: parseYaml } = await import('yaml');
      const value: unknown = parseYaml(text, { maxAliasCount: 100, logLevel: 'error' });
      // An alias inside of its own anchor makes a circular value, which JSON.stringify refuses.
      return JSON.parse(JSON.stringify(value)) as unknown;
    },
  },
];

function formatsOf(source: string): readonly Format[] {
  const named = FORMATS.filter(({ ends }) => ends.test(source));
  return named.length > 0 ? named : FORMATS;
}
