import { readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { FileError } from '../../../core/files/index.js';
import { CommandError } from '../../command.error.js';
import type { Files } from '../../files.js';
import { renderGoTemplate } from './go-template.js';
import { TemplateError } from './parse-go-template.js';
import { readText } from './read-text.js';

/** Folders of KrakenD's flexible configuration: `FC_SETTINGS`, `FC_PARTIALS`, `FC_TEMPLATES`. */
export interface TemplateFolders {
  readonly settings?: string;
  readonly partials?: string;
  readonly templates?: string;
}

const MAX_FILES = 1000;

/** Matches what occurs only in templates. Braces alone may belong to a body that a plugin fills. */
const LOOKS_LIKE_TEMPLATE =
  /\{\{-?\s*(?:\.|\$|\/\*|"|(?:include|template|range|if|with|define|marshal|env|end|else|index|printf|toJson|default|block)\b)/;

/**
 * Renders a configuration that is a template. Any other is returned unchanged.
 *
 * @param source name of the file, for messages
 * @throws CommandError with every setting, partial and template that is missing
 * @throws FileError when a folder cannot be read
 */
export async function renderTemplate(
  text: string,
  source: string,
  { settings, partials, templates }: TemplateFolders,
  files: Files,
): Promise<string> {
  if (!LOOKS_LIKE_TEMPLATE.test(text)) return text;
  const values: Record<string, unknown> = {};
  for (const [name, content] of Object.entries(await readFolder(settings, files)))
    if (/\.(?:json|ya?ml|toml)$/i.test(name))
      values[parse(name).name] = await readText(content, name, true);
  try {
    return renderGoTemplate(text, {
      settings: values,
      partials: await readFolder(partials, files),
      templates: await readFolder(templates, files),
    });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandError(error.problems.map((problem) => `${source} is a template: ${problem}`));
  }
}

/** Returns the contents of the files in a folder, by name. */
async function readFolder(
  folder: string | undefined,
  files: Files,
): Promise<Record<string, string>> {
  if (folder === undefined) return {};
  let names: string[];
  try {
    const entries = await readdir(files.pathOf(folder), { withFileTypes: true });
    names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FileError(folder, `cannot be read (${code})`, code);
  }
  if (names.length > MAX_FILES)
    throw new CommandError(`${folder} holds more than ${MAX_FILES} files`);
  const contents: Record<string, string> = {};
  for (const name of names) contents[name] = (await files.read(join(folder, name))).text;
  return contents;
}
