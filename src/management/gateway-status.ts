import {
  STATUS_LIMITS,
  type BackendStatus,
  type KeySetStatus,
  type ProcessStatus,
  type RefusalStatus,
} from './process-status.js';

/** A worker in the list of the status page. */
type WorkerStatus = Pick<
  ProcessStatus,
  'pid' | 'uptimeSeconds' | 'memoryBytes' | 'load' | 'requests'
>;

/** What the status page shows: the status of all processes together. */
export interface GatewayStatus extends Omit<
  ProcessStatus,
  'pid' | 'uptimeSeconds' | 'memoryBytes' | 'load'
> {
  /** Seconds since 1970. */
  readonly at: number;
  /** Problems that need attention, a line each. Empty where there are none. */
  readonly problems: readonly string[];
  readonly workers: {
    readonly serving: number;
    readonly restarts: number;
    readonly processes: readonly WorkerStatus[];
  };
}

/** A rotation step that is later than this is a problem. The first cron job after the due time does the step. */
const OVERDUE_SECONDS = 2 * 3600;
/** A larger difference between the clocks of machine and store is a problem. */
const SKEW_SECONDS = 1;
const BREAKERS = ['closed', 'half-open', 'open'];

/**
 * Joins the status of several processes. Each process has its own view of key sets, state store and circuit breaker;
 * the worst view is shown. Counts are added up.
 *
 * @param parts the status of each process that answered
 * @param now seconds since 1970
 * @returns `undefined` if no process answered
 */
export function joinStatus(
  parts: readonly ProcessStatus[],
  workers: { readonly serving: number; readonly restarts: number },
  now: number,
): GatewayStatus | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const worst = parts.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const joined: Omit<GatewayStatus, 'problems'> = {
    at: now,
    version: first.version,
    node: first.node,
    workers: {
      serving: workers.serving,
      restarts: workers.restarts,
      processes: parts.map(({ pid, uptimeSeconds, memoryBytes, load, requests }) => ({
        pid,
        uptimeSeconds,
        memoryBytes,
        load,
        requests,
      })),
    },
    keySets: worstSets(parts),
    keySetCount: Math.max(...parts.map(({ keySetCount }) => keySetCount)),
    rotation: first.rotation,
    issuers: first.issuers,
    store: worst.store,
    backend: joinBackends(parts.flatMap(({ backend }) => backend ?? [])),
    requests: {
      total: sum(parts.map(({ requests }) => requests.total)),
      failed: sum(parts.map(({ requests }) => requests.failed)),
    },
    logins: addUp(parts.map(({ logins }) => logins)),
    refusals: addUp(parts.map(({ refusals }) => refusals)),
    lastRefusals: newest(parts.flatMap(({ lastRefusals }) => lastRefusals)),
  };
  const silent = workers.serving - parts.length;
  return {
    ...joined,
    problems: [
      ...(silent > 0 ? [`${silent} of ${workers.serving} workers did not answer`] : []),
      ...problemsOf(joined),
    ],
  };
}

/** The problems that an operator has to look at. */
function problemsOf(status: Omit<GatewayStatus, 'problems'>): string[] {
  const { store, backend } = status;
  return [
    ...status.keySets.flatMap(({ source, problem, ageSeconds, skippedCount }) => [
      ...(problem === undefined
        ? ageSeconds === undefined
          ? [`The keys of ${source} have not come yet`]
          : []
        : [problem]),
      ...(skippedCount > 0 ? [`${skippedCount} keys of ${source} are not used`] : []),
    ]),
    ...status.rotation
      .filter(({ at }) => status.at - at > OVERDUE_SECONDS)
      .map(
        ({ alg, step, kids }) =>
          `The rotation of ${alg} is overdue: ${step} ${kids.join(', ')}; does cron call "signet keys rotate"?`,
      ),
    ...(store.staleSeconds > 0
      ? [
          `The state store (${store.description}) has not been seen for ${store.staleSeconds.toFixed()} s`,
        ]
      : []),
    ...(store.readOnly === undefined
      ? []
      : [
          `The state store takes no writes: ${store.readOnly}; nothing can be refreshed or revoked`,
        ]),
    ...(Math.abs(store.clockSkew) > SKEW_SECONDS
      ? [`The clock differs by ${store.clockSkew.toFixed(1)} s from that of the state store`]
      : []),
    ...(store.skippedRevocations > 0
      ? [`${store.skippedRevocations} revocations of a newer version are not understood`]
      : []),
    ...(backend === undefined || backend.breaker === 'closed'
      ? []
      : [`The circuit of the backend is ${backend.breaker}: its last calls failed`]),
  ];
}

/** Rates the view that a process has of the store. A larger number is worse. */
const rank = ({ store }: ProcessStatus): number =>
  store.staleSeconds * 1000 +
  (store.readOnly === undefined ? 0 : 500) +
  store.delaySeconds +
  Math.abs(store.clockSkew);

/** Returns the worst view of each key set: the one without its source for the longest time, then the oldest. */
function worstSets(parts: readonly ProcessStatus[]): KeySetStatus[] {
  const sets = new Map<string, KeySetStatus>();
  for (const set of parts.flatMap(({ keySets }) => keySets)) {
    const known = sets.get(set.source);
    if (known === undefined || isWorse(set, known)) sets.set(set.source, set);
  }
  return [...sets.values()].slice(0, STATUS_LIMITS.sets);
}

const isWorse = (one: KeySetStatus, other: KeySetStatus): boolean =>
  one.staleSeconds === other.staleSeconds
    ? (one.ageSeconds ?? Infinity) > (other.ageSeconds ?? Infinity)
    : one.staleSeconds > other.staleSeconds;

function joinBackends(parts: readonly BackendStatus[]): BackendStatus | undefined {
  if (parts.length === 0) return undefined;
  const count = (what: 'inFlight' | 'rejected' | 'retries'): number =>
    sum(parts.map((part) => part[what]));
  return {
    breaker: BREAKERS.findLast((state) => parts.some(({ breaker }) => breaker === state)) ?? '',
    inFlight: count('inFlight'),
    rejected: count('rejected'),
    retries: count('retries'),
  };
}

const newest = (refusals: readonly RefusalStatus[]): RefusalStatus[] =>
  refusals.toSorted((a, b) => b.at - a.at).slice(0, STATUS_LIMITS.refusals);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function addUp(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total = new Map<string, number>();
  for (const [name, count] of parts.flatMap(Object.entries<number>))
    total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries(total);
}
