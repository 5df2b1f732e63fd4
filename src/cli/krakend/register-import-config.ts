import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { FileError, makeFolder } from '../../core/files/index.js';
import type { CommandContext } from '../command-context.js';
import { CommandError } from '../command.error.js';
import type { ImportedConfig } from './import-config.js';
import type { TemplateFolders } from './read/template-folders.js';

interface ImportOptions extends TemplateFolders {
  readonly out?: string;
  readonly json?: boolean;
  readonly check?: boolean;
  readonly compare?: readonly string[];
  readonly token?: string;
}

const MAX_BYTES = 10 * 1024 * 1024;

/** `signet import`: a KrakenD configuration in Signet's terms. */
export function registerImportConfig(program: Command, context: CommandContext): void {
  program
    .command('import')
    .description(
      'Translate a KrakenD configuration: environment, controllers, and what is different from now on',
    )
    .argument('[file]', 'configuration of KrakenD 2: JSON, YAML or TOML')
    .option('--out <directory>', 'write signet.env and imported.module.ts there')
    .option('--json', 'as JSON')
    .option('--check', 'compile the result and boot it, as development and as production')
    .option('--settings <directory>', 'settings of a configuration that is a template')
    .option('--partials <directory>', 'its partials')
    .option('--templates <directory>', 'its templates')
    .option(
      '--compare <urls...>',
      'send the same harmless requests to the old and to the new gateway: --compare http://old http://new',
    )
    .option('--token <token>', 'what --compare shows to protected routes')
    .action(async (file: string | undefined, options: ImportOptions) => {
      // `--compare` takes all values that follow, including the file.
      const [old, now, behind] = options.compare ?? [];
      const source = file ?? behind;
      if (source === undefined) throw new CommandError('name the file of the configuration');
      const { files } = context;
      const { text } = await files.read(source, MAX_BYTES);
      const { renderTemplate } = await import('./read/template-folders.js');
      const rendered = await renderTemplate(text, source, options, files);
      if (options.compare === undefined) await importFile(rendered, source, options, context);
      else await compare(rendered, source, { old, now, token: options.token }, options, context);
    });
}

async function importFile(
  text: string,
  source: string,
  { out, json = false, check = false }: ImportOptions,
  context: CommandContext,
): Promise<void> {
  const { files, output } = context;
  // Loaded on demand: other commands do not need the validation of the environment.
  const { importConfig } = await import('./import-config.js');
  const { checkImport, formatted } = await import('./check-import.js');
  const cwd = files.pathOf('.');
  const raw = await importConfig(text, source);
  const imported: ImportedConfig = {
    ...raw,
    controllers: raw.controllers === undefined ? undefined : await formatted(raw.controllers, cwd),
  };
  const checked = check
    ? await output.during('compiling the result, booting it', () => checkImport(imported, cwd))
    : undefined;
  if (checked !== undefined && checked.problems.length > 0) context.exitCode = 1;
  if (json) return output.json({ ...imported, check: checked });
  const { renderCheck, renderEnvironment, renderReport } = await import('./write/render.js');
  const environment = renderEnvironment(imported.environment);
  const report = renderReport(imported) + (checked === undefined ? '' : renderCheck(checked));
  if (out === undefined) {
    const controllers =
      imported.controllers === undefined ? '' : `\n# imported.module.ts\n${imported.controllers}`;
    return output.text(`# Environment\n${environment}${controllers}${report}`);
  }
  await files.named(out, (directory) => writeFiles(directory, environment, imported));
  output.text(report.trimStart());
  output.fields([
    [
      'next',
      `put ${join(out, 'signet.env')} into .env${imported.controllers === undefined ? '' : `, and ${join(out, 'imported.module.ts')} into the gateway`}; signet import --check tries the result`,
    ],
  ]);
}

async function compare(
  text: string,
  source: string,
  { old, now, token }: { old?: string; now?: string; token?: string },
  { json = false }: ImportOptions,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  if (![old, now].every((url) => /^https?:$/.test(URL.parse(url ?? '')?.protocol ?? '')))
    throw new CommandError('--compare needs the URLs of the old and of the new gateway');
  const { endpointsOf } = await import('./import-config.js');
  const { compareGateways } = await import('./compare.js');
  const options = { old: old ?? '', now: now ?? '', token };
  const endpoints = await endpointsOf(text, source);
  const result = await output.during('asking both gateways', () =>
    compareGateways(endpoints, options),
  );
  if (result.differences.length > 0) context.exitCode = 1;
  if (json) return output.json(result);
  const { renderComparison } = await import('./write/render.js');
  output.text(renderComparison(result));
}

async function writeFiles(
  directory: string,
  environment: string,
  { controllers }: ImportedConfig,
): Promise<void> {
  const files = { 'signet.env': environment, 'imported.module.ts': controllers };
  try {
    makeFolder(directory, 0o777);
    for (const [name, contents] of Object.entries(files))
      // Existing files are not overwritten.
      if (contents !== undefined) await writeFile(join(directory, name), contents, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FileError(directory, `cannot be written (${code})`, code);
  }
}
