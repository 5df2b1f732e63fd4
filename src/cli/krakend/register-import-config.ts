import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { FileError } from '../../core/files/index.js';
import type { CommandContext } from '../command-context.js';
import type { ImportedConfig } from './import-config.js';

interface ImportOptions {
  out?: string;
  json?: boolean;
}

const MAX_BYTES = 10 * 1024 * 1024;

/** `signet import`: a KrakenD configuration in Signet's terms. */
export function registerImportConfig(program: Command, context: CommandContext): void {
  program
    .command('import')
    .description(
      'Translate a KrakenD configuration: environment, controllers, and what it gets rid of',
    )
    .argument('<krakend.json>', 'rendered configuration, as JSON')
    .option('--out <directory>', 'write signet.env and imported.module.ts there')
    .option('--json', 'as JSON')
    .action((file: string, options: ImportOptions) => importFile(file, options, context));
}

async function importFile(
  file: string,
  { out, json = false }: ImportOptions,
  { files, output }: CommandContext,
): Promise<void> {
  const { text } = await files.read(file, MAX_BYTES);
  // Loads the validation of the environment, which no other command should wait for.
  const { importConfig } = await import('./import-config.js');
  const imported = importConfig(text, file);
  if (json) return output.json(imported);
  const { renderEnvironment, renderReport } = await import('./render.js');
  const environment = renderEnvironment(imported.environment);
  const report = renderReport(imported);
  if (out === undefined) {
    const controllers =
      imported.controllers === undefined ? '' : `\n# imported.module.ts\n${imported.controllers}`;
    return output.text(`# Environment\n${environment}${controllers}${report}`);
  }
  await files.named(out, (directory) => writeFiles(directory, environment, imported));
  output.text(report.trimStart());
}

async function writeFiles(
  directory: string,
  environment: string,
  { controllers }: ImportedConfig,
): Promise<void> {
  const files = { 'signet.env': environment, 'imported.module.ts': controllers };
  try {
    await mkdir(directory, { recursive: true });
    for (const [name, contents] of Object.entries(files))
      // Nobody's work is overwritten.
      if (contents !== undefined) await writeFile(join(directory, name), contents, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FileError(directory, `cannot be written (${code})`, code);
  }
}
