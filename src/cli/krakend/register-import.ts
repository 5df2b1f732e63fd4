import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../command.error.js';
import type { ImportedConfig } from './import-config.js';

interface ImportOptions {
  out?: string;
  json?: boolean;
}

const MAX_BYTES = 10 * 1024 * 1024;

/** `signet import`: a KrakenD configuration in Signet's terms. */
export function registerImport(program: Command): void {
  program
    .command('import')
    .description(
      'Translate a KrakenD configuration: environment, controllers, and what it gets rid of',
    )
    .argument('<krakend.json>', 'rendered configuration, as JSON')
    .option('--out <directory>', 'write signet.env and imported.module.ts there')
    .option('--json', 'as JSON')
    .action(runImport);
}

async function runImport(file: string, { out, json }: ImportOptions): Promise<void> {
  const text = await read(file);
  // Loads the validation of the environment, which no other command should wait for.
  const { importConfig } = await import('./import-config.js');
  const imported = importConfig(text, file);
  if (json === true) {
    process.stdout.write(`${JSON.stringify(imported, null, 2)}\n`);
    return;
  }
  const { renderEnvironment, renderReport } = await import('./render.js');
  const environment = renderEnvironment(imported.environment);
  const report = renderReport(imported);
  if (out === undefined) {
    const controllers =
      imported.controllers === undefined ? '' : `\n# imported.module.ts\n${imported.controllers}`;
    process.stdout.write(`# Environment\n${environment}${controllers}${report}`);
  } else {
    await writeFiles(out, environment, imported);
    process.stdout.write(report.trimStart());
  }
}

async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${file}: cannot be read (${error.code})`);
  });
  if (text.length > MAX_BYTES) throw new CommandError(`${file} is larger than 10 MB`);
  return text.replace(/^\uFEFF/, '');
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
    throw new CommandError(
      `${directory}: cannot be written (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
