import { describe, expect, it } from 'vitest';
import type { ProtectedRoutes } from '../auth/index.js';
import type { KeySetReport, JwkKeyStore } from '../jwks/index.js';
import type { Revocations } from '../state/index.js';
import type { GatewayMetrics } from './gateway-metrics.service.js';
import { StatusReport } from './status-report.service.js';

const LONG = 'x'.repeat(10_000);
const key = (kid: string) => ({ kid, alg: 'ES256', canSign: true, state: 'active' as const });
const set = (source: string, rest: Partial<KeySetReport> = {}): KeySetReport => ({
  source,
  signs: false,
  ageSeconds: 1,
  staleSeconds: 0,
  problem: undefined,
  keys: [],
  skipped: [],
  ...rest,
});
const report = (sets: KeySetReport[], issuers: string[] = []): StatusReport =>
  new StatusReport(
    {
      reports: () => sets,
      inventory: () => ({ source: 'keys.json' }),
    } as unknown as JwkKeyStore,
    {
      storeDescription: 'memory',
      staleSeconds: 0,
      delaySeconds: 0,
      readOnly: undefined,
      clockSkew: 0,
      sizes: { jti: 0, sub: 0, sid: 0, kid: 0 },
      skipped: 0,
    } as unknown as Revocations,
    {
      totals: async () => ({ requests: { total: 0, failed: 0 }, logins: {}, refusals: {} }),
      lastRefusals: [],
    } as unknown as GatewayMetrics,
    {
      policies: () => [{ issuers: new Set(issuers), foreignIssuers: new Set(issuers.slice(1)) }],
    } as unknown as ProtectedRoutes,
  );

describe('the status of a process', () => {
  it('has the keys of the set that signs, and counts those of others', async () => {
    const status = await report([
      set('keys.json', { signs: true, keys: [key('a')] }),
      set('https://id.example', {
        keys: [key('b'), key('c')],
        skipped: [
          { kid: 'd', reason: "kid 'd': too short" },
          { kid: '', reason: 'beyond the first 200', count: 7 },
        ],
      }),
    ]).now();
    expect(status.keySets).toMatchObject([
      { signs: true, keyCount: 1, keys: [{ kid: 'a', alg: 'ES256', state: 'active' }] },
      { signs: false, keyCount: 2, keys: [], skippedCount: 8 },
    ]);
    expect(status.keySets[1]?.skipped).toEqual(["kid 'd': too short", 'beyond the first 200']);
  });

  it('tells our own issuer from others', async () => {
    const { issuers } = await report([], ['https://own', 'https://other']).now();
    expect(issuers).toEqual([
      { issuer: 'https://own', own: true, source: 'keys.json' },
      { issuer: 'https://other', own: false, source: 'keys.json' },
    ]);
  });

  it('is bounded, however many sets, keys and issuers there are, and however long their names', async () => {
    const keys = Array.from({ length: 5000 }, (_, n) => key(`${n}${LONG}`));
    const skipped = keys.map(({ kid }) => ({ kid, reason: kid }));
    const sets = Array.from({ length: 1000 }, (_, n) =>
      set(`${n}${LONG}`, { signs: n === 0, keys, skipped, problem: LONG }),
    );
    const status = await report(
      sets,
      Array.from({ length: 1000 }, (_, n) => `${n}${LONG}`),
    ).now();
    expect(JSON.stringify(status).length).toBeLessThan(100_000);
    expect(status.keySetCount).toBe(1000);
    expect(status.keySets[0]).toMatchObject({ keyCount: 5000, skippedCount: 5000 });
  });

  it('has the share of time in which the process was busy since the question before', async () => {
    const status = report([]);
    await status.now();
    const until = performance.now() + 50;
    while (performance.now() < until);
    expect((await status.now()).load).toBeGreaterThan(0.5);
    expect((await status.now()).load).toBeLessThanOrEqual(1);
  });
});
