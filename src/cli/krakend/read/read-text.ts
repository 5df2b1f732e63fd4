import { isDeeperThan, isJsonObject } from '../../../core/json/index.js';
import { CommandError } from '../../command.error.js';

const MAX_NESTING = 100;

/**
 * The object that a configuration's text stands for: JSON, YAML or TOML, by the end of the file's name, or by
 * trying them where it ends otherwise.
 *
 * @param source the file's name
 * @param anyValue takes a list or a single value as well
 * @throws CommandError when it is none of them, no object, or nests too deep
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
      // The command says what to install.
      if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
      reasons.push(`${name} (${reasonOf(error as Error)})`);
    }
  throw new CommandError(`${source} is not ${reasons.join(', nor ')}`);
}

/** The parsers quote the text, which may hold a secret: behind the reason, or below it. */
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
      // Tables have no prototype, which comparisons of objects ask for; dates are text in JSON.
      return JSON.parse(JSON.stringify(parseToml(text))) as unknown;
    },
  },
  {
    name: 'YAML',
    ends: /\.ya?ml$/i,
    read: async (text) => {
      const { parse: parseYaml } = await import('yaml');
      const value: unknown = parseYaml(text, { maxAliasCount: 100, logLevel: 'error' });
      // An alias may stand within what it is an alias of.
      return JSON.parse(JSON.stringify(value)) as unknown;
    },
  },
];

function formatsOf(source: string): readonly Format[] {
  const named = FORMATS.filter(({ ends }) => ends.test(source));
  return named.length > 0 ? named : FORMATS;
}
