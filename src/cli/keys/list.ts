import type { Command } from 'commander';
import type { ImportedKey } from './gateway-keys.js';
import { openKeys } from './key-file-contents.js';
import { fileOption } from './options.js';
import { remark, say, sayJson } from './output.js';
import { isoTime, toTable } from './table.js';

/** `signet keys list`: what is known of each key, and nothing secret. */
export function registerList(keys: Command): void {
  keys
    .command('list')
    .description('Show the keys of a file; never secrets')
    .addOption(fileOption())
    .option('--json', 'as JSON')
    .action(list);
}

async function list({ file, json }: { file: string; json?: boolean }): Promise<void> {
  const { set } = await openKeys(file);
  if (json === true) sayJson(set.entries().map(toJson));
  else for (const line of toTable([HEADINGS, ...set.entries().map(toRow)]).split('\n')) say(line);
  for (const { reason } of set.skipped) remark(reason);
}

const HEADINGS = ['KID', 'ALG', 'STATE', 'NOT BEFORE', 'NOT AFTER', 'THUMBPRINT'];

const toRow = ({ key, lifecycle, thumbprint }: ImportedKey): string[] => [
  key.kid,
  key.alg ?? `any (${key.kty})`,
  lifecycle?.state ?? '-',
  isoTime(lifecycle?.notBefore),
  isoTime(lifecycle?.notAfter),
  thumbprint,
];

const toJson = ({ key, lifecycle, thumbprint }: ImportedKey): object => ({
  kid: key.kid,
  kty: key.kty,
  crv: key.crv,
  alg: key.alg,
  signs: key.signing !== undefined,
  state: lifecycle?.state,
  not_before: lifecycle?.notBefore === undefined ? undefined : isoTime(lifecycle.notBefore),
  not_after: lifecycle?.notAfter === undefined ? undefined : isoTime(lifecycle.notAfter),
  thumbprint,
});
