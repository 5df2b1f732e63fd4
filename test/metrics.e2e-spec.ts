import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultyBackend } from './helpers/backends/faulty-backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith, exchange } from './helpers/network/http.js';
import { metricOf } from './helpers/gateway/processes.js';
import { parseMetrics, type Exposition } from './helpers/telemetry/prometheus.js';

let gateway: Gateway;
const scrape = async (): Promise<Exposition> => parseMetrics(await gateway.metrics());
const valueOf = async (name: string, labels: Record<string, string> = {}): Promise<number> =>
  (await scrape()).samples
    .filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);

beforeAll(async () => {
  gateway = await startGateway();
  const { url } = gateway;
  const { json } = await call(`${url}/token`, { method: 'POST' });
  await callWith(`${url}/private/custom`, String(json.access_token));
  await call(`${url}/private/custom`);
});
afterAll(() => gateway?.stop());

describe('the metrics', () => {
  it('follow the conventions that promtool checks', async () => {
    const { types, helps } = await scrape();
    const ours = [...types].filter(([name]) => name.startsWith('signet_'));
    expect(ours.length).toBeGreaterThanOrEqual(12);
    for (const [name, type] of ours) {
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect([name, type === 'histogram' && !name.endsWith('_seconds')]).toEqual([name, false]);
      // Base units, no type in the name, no colons.
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name).not.toMatch(/_(?:ms|milliseconds|kb|gauge|counter|histogram|count|sum|bucket)$/);
      expect(helps.get(name)).toMatch(/^[A-Z].{15,}\.$/);
    }
  });

  it('count tokens by algorithm and key, and backend calls by outcome', async () => {
    expect(
      await valueOf('signet_tokens_signed_total', { alg: 'HS256', kid: 'sim2' }),
    ).toBeGreaterThanOrEqual(2);
    const calls = { outcome: 'answered' };
    expect(await valueOf('signet_backend_request_duration_seconds_count', calls)).toBe(2);
    expect(await valueOf('signet_backend_breaker_state')).toBe(0);
    expect(await valueOf('signet_backend_requests_in_flight')).toBe(0);
    expect(await valueOf('signet_log_lines_dropped_total')).toBe(0);
    const { samples } = await scrape();
    const age = samples.find(({ name }) => name === 'signet_keyset_age_seconds');
    expect(age?.value).toBeGreaterThan(0);
    expect(age?.value).toBeLessThan(600);
  });

  it('count logins by what came of them, and no refresh among them', async () => {
    const outcomes = async (): Promise<number[]> =>
      Promise.all(
        ['succeeded', 'refused', 'failed'].map((outcome) =>
          valueOf('signet_logins_total', { outcome }),
        ),
      );
    const before = await outcomes();
    const login = (password: string) =>
      call(`${gateway.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'password', username: 'alice', password }),
      });
    const { json } = await login('wonderland');
    expect((await login('wrong')).status).toBe(400);
    const refresh_token = String(json.refresh_token);
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token });
    await call(`${gateway.url}/token`, { method: 'POST', body });
    const [succeeded = 0, refused = 0, failed = 0] = before;
    await expect.poll(outcomes).toEqual([succeeded + 1, refused + 1, failed]);
  });

  it('get no further series from hostile requests', async () => {
    const series = async (): Promise<Set<string>> =>
      new Set(
        (await scrape()).samples
          .filter(({ name }) => /^signet_(?:http_request|refusals)/.test(name))
          .map(({ name, labels }) => `${name}${JSON.stringify(labels)}`),
      );
    const send = async (n: number): Promise<void> => {
      for (const method of ['PROPFIND', 'MKCOL', 'LOCK', 'REPORT', 'M-SEARCH', 'PURGE'])
        await exchange(
          gateway.url,
          `${method} /token/${n} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        );
      for (const path of [`x${n}`, `private/custom/${n}`, `token?n=${n}`, `%00${n}`, `health/${n}`])
        await call(`${gateway.url}/${path}`, {
          headers: { authorization: `Bearer ${n}.${n}.${n}` },
        });
    };
    await send(0);
    const before = await series();
    for (let n = 1; n < 10; n++) await send(n);
    expect([...(await series()).difference(before)]).toEqual([]);
    expect([...before].filter((name) => name.includes('PROPFIND'))).toEqual([]);
  });
});

it('a client that does not wait for its login has no wrong password, nor has one whose backend fails', async () => {
  const backend = await startFaultyBackend();
  const other = await startGateway({ BACKEND_HOST: backend.url });
  const outcome = async (name: string): Promise<number> =>
    metricOf(await other.metrics(), 'signet_logins_total', `"${name}"`);
  const login = (signal?: AbortSignal) => call(`${other.url}/token`, { method: 'POST', signal });
  try {
    await login();
    await expect.poll(() => outcome('failed')).toBe(1);
    const client = new AbortController();
    backend.does(() => client.abort());
    await expect(login(client.signal)).rejects.toThrow(/abort/i);
    await expect.poll(() => outcome('aborted')).toBe(1);
    expect(await outcome('refused')).toBe(0);
  } finally {
    await other.stop();
    await backend.down();
  }
});
