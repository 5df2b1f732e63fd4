import type { Measurement } from './measure.js';

/** A Markdown table with ratios to the first contestant of each case. */
export function table(results: readonly { name: string; measurements: Measurement[] }[]): string {
  const rows = results.flatMap(({ name, measurements }) => {
    const floor = measurements[0]?.cpu ?? NaN;
    return measurements.map(({ contestant, cpu, requestsPerSecond, p50, p99, peakRssMb }) => [
      name,
      contestant,
      cpu.toFixed(1),
      `${(cpu / floor).toFixed(2)}×`,
      requestsPerSecond.toFixed(0),
      `${p50}`,
      `${p99}`,
      `${peakRssMb}`,
    ]);
  });
  const header = [
    'case',
    'contestant',
    'CPU µs/req',
    'ratio',
    'req/s',
    'p50 ms',
    'p99 ms',
    'RSS MB',
  ];
  return [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
