import { expect } from 'vitest';

/** One line of `/metrics`. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}
/** A whole scrape. */
export interface Exposition {
  samples: Sample[];
  /** Of each metric: what it is, and the sentence about it. */
  types: Map<string, string>;
  helps: Map<string, string>;
}

/** Reads the Prometheus text format; fails on a line that is none of it. */
export function parseMetrics(text: string): Exposition {
  const [types, helps, samples] = [new Map(), new Map(), []] as [
    Exposition['types'],
    Exposition['helps'],
    Sample[],
  ];
  for (const line of text.split('\n')) {
    const meta = /^# (TYPE|HELP) (\w+) (.+)$/.exec(line);
    const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (meta !== null) (meta[1] === 'TYPE' ? types : helps).set(meta[2] ?? '', meta[3] ?? '');
    else if (sample !== null) {
      const pairs = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      const labels = Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
      samples.push({ name: sample[1] ?? '', labels, value: Number(sample[3]) });
    } else expect(line).toBe('');
  }
  return { samples, types, helps };
}
