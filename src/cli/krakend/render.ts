import { oneLine } from '../../core/text/index.js';
import type { ImportedConfig } from './import-config.js';
import type { EnvironmentVariables } from './environment-of.js';

/** As `.env` has it: quoted where the text could mean something else. */
export const renderEnvironment = (variables: EnvironmentVariables): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${/^[\w.:/,@+*~-]*$/.test(value) ? value : inQuotes(value)}\n`)
    .join('');

const inQuotes = (value: string): string =>
  value.includes("'") ? `\`${value.replaceAll('`', '')}\`` : `'${value}'`;

/** What to know and to do, for people. */
export function renderReport(imported: ImportedConfig): string {
  const { advice, notTakenOver, unknown, defects } = imported;
  return [
    section('To do, and what is different', advice),
    section('Not taken over', notTakenOver),
    section('Unknown options, which KrakenD ignores as well', unknown),
    section(
      'Defects of KrakenD that this configuration is exposed to (A security … D ergonomics)',
      defects.map(
        ({ id, severity, defect, because }) => `${id} ${severity}  ${defect}. Here: ${because}`,
      ),
    ),
  ].join('');
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n# ${title}\n${lines.map((line) => `- ${clean(line)}\n`).join('')}`;

/** Names come from the file and may hold terminal control sequences. */
const clean = (text: string): string => oneLine(text).slice(0, 2000);
