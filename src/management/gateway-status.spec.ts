import { describe, expect, it } from 'vitest';
import { joinStatus, type ProcessStatus } from './index.js';

const NOW = 1_800_000_000;
const set: ProcessStatus['keySets'][number] = {
  source: 'keys.json',
  signs: true,
  ageSeconds: 10,
  staleSeconds: 0,
  problem: undefined,
  keys: [{ kid: 'a', alg: 'ES256', state: 'active', notBefore: undefined, notAfter: undefined }],
  skipped: [],
  keyCount: 1,
  skippedCount: 0,
};
const healthy: ProcessStatus = {
  pid: 1,
  version: '1.2.3',
  node: 'v26.0.0',
  uptimeSeconds: 60,
  memoryBytes: 1e8,
  load: 0.1,
  keySets: [set],
  keySetCount: 1,
  rotation: [],
  issuers: [{ issuer: 'https://a', own: true, source: 'keys.json' }],
  store: {
    description: 'sqlite data/signet.db',
    staleSeconds: 0,
    delaySeconds: 0.001,
    readOnly: undefined,
    clockSkew: 0,
    revocations: { jti: 1, sub: 0, sid: 2, kid: 0 },
    skippedRevocations: 0,
    listsSessions: true,
    sessions: { count: 3, more: false },
  },
  backend: { breaker: 'closed', inFlight: 1, rejected: 0, retries: 2 },
  requests: { total: 10, failed: 1 },
  logins: { succeeded: 3 },
  refusals: { token_missing: 2 },
  lastRefusals: [],
};
const ONE = { serving: 1, restarts: 0 };
const TWO = { serving: 2, restarts: 1 };
const refusal = (at: number) => ({
  at,
  code: 'token_missing',
  status: 401,
  method: 'GET',
  route: '/',
  requestId: String(at),
});

describe('joinStatus', () => {
  it('of one process is what it says, and nothing is wrong', () => {
    const { pid, uptimeSeconds, memoryBytes, load, ...rest } = healthy;
    expect(joinStatus([healthy], ONE, NOW)).toEqual({
      ...rest,
      at: NOW,
      problems: [],
      workers: {
        ...ONE,
        processes: [{ pid, uptimeSeconds, memoryBytes, load, requests: healthy.requests }],
      },
    });
  });

  it('of none is nothing', () => {
    expect(joinStatus([], TWO, NOW)).toBeUndefined();
  });

  it('adds up what is counted, and shows the worst of what each sees by itself', () => {
    const other: ProcessStatus = {
      ...healthy,
      pid: 2,
      keySets: [
        { ...set, ageSeconds: 90, staleSeconds: 5, problem: 'JWK keys.json: is gone' },
        { ...set, source: 'https://b', signs: false },
      ],
      keySetCount: 2,
      store: { ...healthy.store, staleSeconds: 7 },
      backend: { breaker: 'open', inFlight: 2, rejected: 3, retries: 0 },
      refusals: { token_missing: 1, rate_limited: 4 },
      lastRefusals: Array.from({ length: 15 }, (_, at) => refusal(2 * at)).toReversed(),
    };
    const first = { ...healthy, lastRefusals: [refusal(3), refusal(1)] };
    const status = joinStatus([first, other], TWO, NOW);
    expect(status).toMatchObject({
      workers: { serving: 2, restarts: 1, processes: [{ pid: 1 }, { pid: 2 }] },
      keySets: [{ staleSeconds: 5 }, { source: 'https://b' }],
      keySetCount: 2,
      store: { staleSeconds: 7 },
      backend: { breaker: 'open', inFlight: 3, rejected: 3, retries: 2 },
      requests: { total: 20, failed: 2 },
      logins: { succeeded: 6 },
      refusals: { token_missing: 3, rate_limited: 4 },
    });
    expect(status?.lastRefusals.map(({ at }) => at).slice(-4)).toEqual([3, 2, 1, 0]);
    expect(status?.problems).toHaveLength(3);
  });

  it.each<[what: string, part: Partial<ProcessStatus>, problem: RegExp]>([
    [
      'a set is away',
      { keySets: [{ ...set, staleSeconds: 3, problem: 'JWK x: is away' }] },
      /x: is away/,
    ],
    [
      'a set has not come',
      { keySets: [{ ...set, ageSeconds: undefined }] },
      /keys\.json have not come/,
    ],
    [
      'keys are skipped',
      { keySets: [{ ...set, skippedCount: 2 }] },
      /^2 keys of keys\.json are not used/,
    ],
    [
      'nobody rotates',
      { rotation: [{ alg: 'ES256', step: 'activate', kids: ['b'], at: NOW - 7201 }] },
      /rotation of ES256 is overdue: activate b/,
    ],
    [
      'the store is away',
      { store: { ...healthy.store, staleSeconds: 12 } },
      /sqlite.*not been seen for 12 s/,
    ],
    [
      'the store is full',
      { store: { ...healthy.store, readOnly: 'disk full' } },
      /no writes: disk full/,
    ],
    ['clocks differ', { store: { ...healthy.store, clockSkew: -4 } }, /differs by -4\.0 s/],
    [
      'versions differ',
      { store: { ...healthy.store, skippedRevocations: 3 } },
      /3 revocations of a newer/,
    ],
    [
      'the backend is down',
      { backend: { breaker: 'half-open', inFlight: 0, rejected: 0, retries: 0 } },
      /circuit of the backend is half-open/,
    ],
  ])('says so when %s', (_what, part, problem) => {
    expect(joinStatus([{ ...healthy, ...part }], ONE, NOW)?.problems).toEqual([
      expect.stringMatching(problem) as string,
    ]);
  });

  it('says how many workers did not answer, and nothing of a step that is not overdue', () => {
    const rotation = [{ alg: 'ES256', step: 'activate', kids: ['b'], at: NOW - 3600 }];
    expect(joinStatus([{ ...healthy, rotation }], TWO, NOW)?.problems).toEqual([
      '1 of 2 workers did not answer',
    ]);
  });
});
