import autocannon from 'autocannon';
import type { Contestant } from './contestant.js';

/** What is sent; several `tokens` are used in turn. */
export interface Load {
  method: 'GET' | 'POST';
  path: string;
  tokens?: readonly string[];
  /** The status every answer has to have. */
  status: number;
  /** Default 32. */
  connections?: number;
}

/** One contestant in one case, over all rounds. */
export interface Measurement {
  contestant: string;
  /** CPU microseconds per request, the median of the rounds. */
  cpu: number;
  requestsPerSecond: number;
  p50: number;
  p99: number;
  peakRssMb: number;
}

/** How long a load lasts: seconds, or requests. */
export type Extent = { duration: number } | { amount: number };

const CONNECTIONS = 32;
/** Until V8 has compiled what is hot: before that, a process pays twice as much for a request, and for the compiler. */
const WARM_UP: Extent = { duration: 8 };
const WARM_UP_AGAIN: Extent = { duration: 3 };
const warm = new WeakSet<Contestant>();
const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Measures the contestants in turn, A B A B, after a warm-up of each. */
export async function measure(
  contestants: readonly Contestant[],
  load: Load,
  rounds: number,
  extent: Extent,
): Promise<Measurement[]> {
  // A gateway that is not warm yet may refuse some of very many at once.
  for (const contestant of contestants) {
    const warmUp = warm.has(contestant) ? WARM_UP_AGAIN : WARM_UP;
    await run(
      contestant,
      { ...load, connections: CONNECTIONS },
      'amount' in extent ? extent : warmUp,
    );
    warm.add(contestant);
  }
  const samples = contestants.map(() => [] as Awaited<ReturnType<typeof run>>[]);
  for (let round = 0; round < rounds; round++)
    for (const [index, contestant] of contestants.entries())
      samples[index]?.push(await run(contestant, load, extent));
  return contestants.map((contestant, index) => {
    const of = (pick: (sample: Awaited<ReturnType<typeof run>>) => number): number =>
      median((samples[index] ?? []).map(pick));
    return {
      contestant: contestant.name,
      cpu: of(({ cpu }) => cpu),
      requestsPerSecond: of(({ requestsPerSecond }) => requestsPerSecond),
      p50: of(({ p50 }) => p50),
      p99: of(({ p99 }) => p99),
      peakRssMb: contestant.peakRss(),
    };
  });
}

/** Sends that many requests, once. */
export async function measureAmount(
  contestant: Contestant,
  load: Load,
  amount: number,
): Promise<Measurement> {
  const sample = await run(contestant, load, { amount });
  return { ...sample, contestant: contestant.name, peakRssMb: contestant.peakRss() };
}

async function run(
  contestant: Contestant,
  { method, path, tokens, status, connections = CONNECTIONS }: Load,
  extent: Extent,
) {
  let next = 0;
  const before = contestant.cpu();
  const result = await autocannon({
    url: contestant.url + path,
    method,
    connections,
    ...extent,
    // When it looks whether the amount is reached, in milliseconds; by default once a second.
    ...('amount' in extent ? { sampleInt: 100 } : {}),
    headers: tokens?.length === 1 ? { authorization: `Bearer ${tokens[0]}` } : {},
    requests:
      tokens !== undefined && tokens.length > 1
        ? [
            {
              setupRequest: (request) => ({
                ...request,
                headers: { authorization: `Bearer ${tokens[next++ % tokens.length]}` },
              }),
            },
          ]
        : undefined,
  });
  const cpu = contestant.cpu() - before;
  const { statusCodeStats = {}, requests, latency, errors } = result;
  const others = Object.keys(statusCodeStats).filter((code) => Number(code) !== status);
  if (errors > 0 || others.length > 0 || requests.total === 0)
    throw new Error(`${contestant.name} ${path}: ${errors} errors, statuses ${others.join(', ')}`);
  return {
    cpu: cpu / requests.total,
    requestsPerSecond: requests.total / result.duration,
    p50: latency.p50,
    p99: latency.p99,
  };
}
