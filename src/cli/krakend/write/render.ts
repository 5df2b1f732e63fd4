import { oneLine } from '../../../core/text/index.js';
import { SECTIONS, type Finding, type Section } from '../findings.js';
import type { CheckResult } from '../check-import.js';
import type { Comparison } from '../compare.js';
import type { ImportedConfig } from '../import-config.js';
import type { EnvironmentVariables } from './environment-of.js';

/** Returns the text of `.env`. Values that could be read in another way are quoted. */
export const renderEnvironment = (variables: EnvironmentVariables): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${/^[\w.:/,@+*~-]*$/.test(value) ? value : inQuotes(value)}\n`)
    .join('');

const inQuotes = (value: string): string =>
  value.includes("'") ? `\`${value.replaceAll('`', '')}\`` : `'${value}'`;

/** Returns the report for the operator. */
export function renderReport(imported: ImportedConfig): string {
  const { counts, defects } = imported;
  const sections = (Object.keys(SECTIONS) as Section[]).map((name) =>
    section(
      SECTIONS[name],
      imported[name].map((finding) => withRoutes(finding, counts.endpoints)),
    ),
  );
  const exposed = defects.map(({ id, severity, defect, because, routes }) =>
    withRoutes(
      {
        matter: `${id} ${severity}  ${defect}${because === '' ? '' : `. Here: ${because}`}`,
        routes,
      },
      counts.endpoints,
    ),
  );
  return [
    ...sections,
    section(
      'Defects of KrakenD that this configuration was exposed to (A security … D ergonomics)',
      exposed,
    ),
    `\n${counts.endpoints} endpoints: ${counts.takenOver - counts.refused} taken over, ${counts.refused} refused until decided, ${counts.leftOut} left out\n`,
  ].join('');
}

/** Returns the result of a check, for the operator. */
export const renderCheck = ({ problems, standIns }: CheckResult): string =>
  section('Checked with', standIns) +
  (problems.length === 0
    ? '\nIt compiles, and boots in development and in production.\n'
    : section('It does not work as it is', problems));

/** Returns the result of a comparison, for the operator. */
export const renderComparison = ({ requests, differences, notAsked }: Comparison): string =>
  `${requests} requests, ${differences.length} of them with another answer\n` +
  section('Different', differences) +
  section('Not asked', notAsked);

/** Most routes that are named per finding. */
const MOST_ROUTES = 8;

function withRoutes({ matter, routes }: Finding, all: number): string {
  if (routes.length === 0) return matter;
  if (routes.length === all && all > 1) return `${matter} (all ${all} endpoints)`;
  const named = routes.slice(0, MOST_ROUTES).join(', ');
  const more = routes.length - MOST_ROUTES;
  return `${matter} (${named}${more > 0 ? ` and ${more} more` : ''})`;
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n# ${title}\n${lines.map((line) => `- ${clean(line)}\n`).join('')}`;

/** Makes text safe for a terminal: names come from the file, and may contain control sequences. */
const clean = (text: string): string => oneLine(text).slice(0, 2000);
