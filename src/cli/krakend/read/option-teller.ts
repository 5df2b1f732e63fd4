import { isJsonObject } from '../../../core/json/index.js';
import { oneLine } from '../../../core/text/index.js';
import type { Findings } from '../findings.js';
import { componentName, optionRow, type OptionScope } from '../option-table.js';
import { Fields } from './fields.js';

/** Returns the components of an `extra_config` by their current names. */
export function components(value: unknown, where: string, problems: string[]): Fields {
  if (!isJsonObject(value)) return new Fields(value ?? undefined, where, problems);
  const named = Object.entries(value).map(
    ([name, member]) => [componentName(name), member] as const,
  );
  const names = named.map(([name]) => name);
  for (const name of new Set(names))
    if (names.filter((other) => other === name).length > 1)
      problems.push(`${where}: there are two components ${name}`);
  return new Fields(Object.fromEntries(named), where, problems);
}

/** Reports what happens to options that no code reads, by `OPTION_TABLE`. */
export class OptionTeller {
  /**
   * @param refusals receives the protections that are not taken over
   * @param route label of the endpoint. Default: the service
   */
  constructor(
    private readonly findings: Findings,
    private readonly refusals: string[],
    private readonly route?: string,
  ) {}

  /** @returns why the endpoint cannot be taken over at all, a line each */
  rest(fields: Fields, scope: OptionScope): string[] {
    const isComponent = scope.endsWith('extra_config');
    return fields.unread().flatMap((written) => {
      // The name may be written into a comment, and to a terminal.
      const name = oneLine(written);
      const row = optionRow(scope, name);
      if (row === undefined) {
        if (isComponent) this.refusals.push(`${name}: an unknown component, which may protect`);
        else this.findings.add('unknown', `${scope}: ${name}`, this.route);
        return [];
      }
      const line = `${name}: ${row.here}`;
      if (row.fate === 'refused') this.refusals.push(line);
      else if (row.fate === 'leftOut') return this.leaveOut(line);
      else if (row.fate === 'differs' || row.fate === 'todo')
        this.findings.add(row.fate, line, this.route);
      return [];
    });
  }

  private leaveOut(line: string): string[] {
    if (this.route !== undefined) return [line];
    this.findings.add('leftOut', line);
    return [];
  }
}
