import type { Command } from 'commander';
import type { ImportedKey } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { toIsoTime } from '../../output.js';
import { fileOption } from './options.js';

interface ListOptions {
  readonly file: string;
  readonly json?: boolean;
}

/** `signet keys list`: shows the properties of each key, but no secrets. */
export function registerList(keys: Command, context: CommandContext): void {
  keys
    .command('list')
    .description('Show the keys of a file; never secrets')
    .addOption(fileOption(context.settings))
    .option('--json', 'as JSON')
    .action((options: ListOptions) => list(options, context));
}

async function list(
  { file, json }: ListOptions,
  { keyFiles, output }: CommandContext,
): Promise<void> {
  const { set } = await keyFiles.open(file);
  if (json === true) output.json(set.entries().map(toJson));
  else output.table([HEADINGS, ...set.entries().map(toRow)], STYLES);
  for (const { reason } of set.skipped) output.remark(reason);
}

const STYLES = {
  STATE: { active: 'green', pending: 'yellow', retired: 'dim' },
} as const;
const HEADINGS = ['KID', 'ALG', 'STATE', 'NOT BEFORE', 'NOT AFTER', 'THUMBPRINT'];

const toRow = ({ key, lifecycle, thumbprint }: ImportedKey): string[] => [
  key.kid,
  key.alg ?? `any (${key.kty})`,
  lifecycle?.state ?? '-',
  toIsoTime(lifecycle?.notBefore),
  toIsoTime(lifecycle?.notAfter),
  thumbprint,
];

const toJson = ({ key, lifecycle, thumbprint }: ImportedKey): object => ({
  kid: key.kid,
  kty: key.kty,
  crv: key.crv,
  alg: key.alg,
  signs: key.signing !== undefined,
  state: lifecycle?.state,
  not_before: lifecycle?.notBefore === undefined ? undefined : toIsoTime(lifecycle.notBefore),
  not_after: lifecycle?.notAfter === undefined ? undefined : toIsoTime(lifecycle.notAfter),
  thumbprint,
});
