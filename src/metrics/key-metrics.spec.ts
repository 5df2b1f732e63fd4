import { Registry } from '@prometheus-io/client';
import { describe, expect, it, vi } from 'vitest';
import type { KeyReport } from '../jwks/index.js';
import { registerKeyMetrics } from './key-metrics.js';

const NOW = 1_800_000_000;

it('shows age, staleness and skipped keys of each key source, as they are at the scrape', async () => {
  const registry = new Registry();
  let stale = 0;
  registerKeyMetrics(registry, {
    reports: () => [],
    skippedCounts: () => [{ source: 'keys.json', skipped: 2 }],
    ageSeconds: () => [{ source: 'keys.json', seconds: 12.5 }],
    staleSeconds: () => [
      { source: 'keys.json', seconds: 0 },
      { source: 'https://issuer.example/jwks.json', seconds: stale },
    ],
  });
  const age = await registry.getSingleMetricAsString('signet_keyset_age_seconds');
  expect(age).toContain('\nsignet_keyset_age_seconds{source="keys.json"} 12.5');
  stale = 90;
  const text = await registry.getSingleMetricAsString('signet_keyset_stale_seconds');
  expect(text).toContain('\nsignet_keyset_stale_seconds{source="keys.json"} 0');
  expect(text).toContain(
    '\nsignet_keyset_stale_seconds{source="https://issuer.example/jwks.json"} 90',
  );
  expect(await registry.getSingleMetricAsString('signet_keyset_skipped_keys')).toContain(
    '\nsignet_keyset_skipped_keys{source="keys.json"} 2',
  );
  // A set that has not arrived has no age.
  expect(age).not.toContain('issuer.example');
});

it('forgets sources that are closed', async () => {
  const registry = new Registry();
  let sources = ['https://a', 'https://b'];
  registerKeyMetrics(registry, {
    reports: () => [],
    skippedCounts: () => sources.map((source) => ({ source, skipped: 1 })),
    ageSeconds: () => sources.map((source) => ({ source, seconds: 1 })),
    staleSeconds: () => sources.map((source) => ({ source, seconds: 1 })),
  });
  expect((await registry.metrics()).match(/source="https:\/\/a"/g)).toHaveLength(3);
  sources = ['https://b'];
  const text = await registry.metrics();
  expect(text).not.toContain('https://a');
  expect(text.match(/source="https:\/\/b"/g)).toHaveLength(3);
});

describe('the rotation of the signing keys', () => {
  const HOUR = 3600;
  const key = (alg: string, kid: string, rest: Partial<KeyReport> = {}): KeyReport => ({
    alg,
    kid,
    canSign: true,
    ...rest,
  });
  const values = async (keys: KeyReport[], signs = true): Promise<string[]> => {
    const registry = new Registry();
    registerKeyMetrics(registry, {
      skippedCounts: () => [],
      ageSeconds: () => [],
      staleSeconds: () => [],
      reports: () => [
        {
          source: 'keys.json',
          signs,
          keys,
          skipped: [],
          ageSeconds: 1,
          staleSeconds: 0,
          problem: undefined,
        },
      ],
    });
    const text = await registry.metrics();
    return text.split('\n').filter((line) => /^signet_(?:signing|key_)/.test(line));
  };

  it.each([
    ['a plain key', [key('ES256', 'a')], []],
    ['one that signs', [key('ES256', 'a', { state: 'active', notBefore: NOW - HOUR })], []],
    [
      'a pending key',
      [
        key('ES256', 'a', { state: 'active' }),
        key('ES256', 'b', { state: 'pending', notBefore: NOW + HOUR }),
      ],
      ['alg="ES256",step="activate"} 3600'],
    ],
    [
      'one that should sign by now, since cron does not run',
      [key('ES256', 'b', { state: 'pending', notBefore: NOW - 2 * HOUR })],
      ['alg="ES256",step="activate"} -7200'],
    ],
    [
      'one without a date',
      [key('ES256', 'b', { state: 'pending' })],
      ['alg="ES256",step="schedule"} 0'],
    ],
    [
      'one whose time is nearly over',
      [key('ES256', 'b', { state: 'verifying', notAfter: NOW + 60 })],
      ['alg="ES256",step="retire"} 60'],
    ],
    [
      'keys of two algorithms',
      [
        key('ES256', 'a', { state: 'verifying', notAfter: NOW + 60 }),
        key('RS256', 'b', { state: 'pending', notBefore: NOW + 30 }),
      ],
      ['alg="ES256",step="retire"} 60', 'alg="RS256",step="activate"} 30'],
    ],
  ])('is shown for %s', async (_what, keys, steps) => {
    vi.useFakeTimers({ now: NOW * 1000 });
    const shown = await values(keys);
    vi.useRealTimers();
    expect(shown.filter((line) => line.includes('next_step'))).toEqual(
      steps.map((step) => `signet_key_rotation_next_step_seconds{${step}`),
    );
  });

  it('counts the keys of each state, those that there are none of, too', async () => {
    const keys = [
      key('ES256', 'a', { state: 'active' }),
      key('ES256', 'b', { state: 'retired' }),
      key('ES256', 'c', { state: 'retired' }),
      key('RSA', 'd'),
    ];
    expect(await values(keys)).toEqual([
      ...['pending"} 0', 'active"} 1', 'verifying"} 0', 'retired"} 2', 'plain"} 0'].map(
        (end) => `signet_signing_keys{alg="ES256",state="${end}`,
      ),
      ...['pending"} 0', 'active"} 0', 'verifying"} 0', 'retired"} 0', 'plain"} 1'].map(
        (end) => `signet_signing_keys{alg="RSA",state="${end}`,
      ),
    ]);
    expect(await values(keys, false)).toEqual([]);
  });
});
