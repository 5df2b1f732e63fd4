import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Exposition } from './prometheus.js';
import { tempFolder } from '../run/resources.js';

/** Minutes for which there are samples; longer than any rule waits. */
const MINUTES = 180;

/** Series by their name with labels; values in the notation of promtool. */
export type Series = ReadonlyMap<string, string>;

/** What was scraped, as the figures of a gateway that goes on like that: counters grow, gauges stay. */
export function seriesOf({ samples, types }: Exposition): Series {
  const grows = (name: string): boolean => {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    return types.get(name) === 'counter' || types.get(base) === 'histogram';
  };
  return new Map(
    samples.map(({ name, labels, value }) => [
      seriesName(name, labels),
      `${value}+${grows(name) ? value : 0}x${MINUTES}`,
    ]),
  );
}

/** A series as Prometheus has it after a scrape. */
export function seriesName(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const all = { ...labels, job: 'signet', instance: 'gateway:8090' };
  return `${name}{${Object.entries(all)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}

const metricOf = (series: string): string => series.slice(0, series.indexOf('{'));

/** Expressions that have to be true (a value other than 0 is there) at the end of the samples. */
export interface Expectation {
  readonly name: string;
  readonly series: Series;
  readonly holds: readonly string[];
}

/**
 * Evaluates expressions by Prometheus' own engine, with the alerts of a file.
 *
 * @returns what did not hold, as promtool reports it; empty when everything did
 */
export function evaluate(rules: string, expectations: readonly Expectation[]): string {
  const file = join(tempFolder('promtool'), 'tests.yaml');
  const ruleText = readFileSync(rules, 'utf8');
  const tests = expectations.map(({ name, series, holds }) => ({
    name,
    interval: '1m',
    // Without the series that nothing asks for, of which there are hundreds.
    input_series: [...series]
      .filter(([one]) => [ruleText, ...holds].some((text) => text.includes(metricOf(one))))
      .map(([one, values]) => ({ series: one, values })),
    promql_expr_test: holds.map((expr) => ({
      expr: `count(${expr}) > bool 0`,
      eval_time: `${MINUTES}m`,
      exp_samples: [{ labels: '{}', value: 1 }],
    })),
  }));
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [resolve(rules)], evaluation_interval: '1m', tests }),
  );
  try {
    execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}` || message;
  }
}
