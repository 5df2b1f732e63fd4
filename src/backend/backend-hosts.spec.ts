import { describe, expect, it } from 'vitest';
import { BackendHosts } from './backend-hosts.js';
import { BackendFailedException } from './backend.exceptions.js';

const A = 'http://a.example';
const B = 'https://b.example:8443/base/';
const C = 'http://c.example/x';

const turns = (hosts: BackendHosts, count: number): string[] =>
  Array.from({ length: count }, () => hosts.next().origin.replace(/.*\/\/(.).*/, '$1'));

/** Fails once, which opens the circuit of a host. */
async function fail(hosts: BackendHosts, name: string): Promise<void> {
  for (;;) {
    const { origin, bulkhead } = hosts.next();
    if (!origin.includes(`//${name}.`)) continue;
    await bulkhead
      .run(() => Promise.reject(new BackendFailedException('x')))
      .catch(() => undefined);
    return;
  }
}

describe('the hosts of a backend', () => {
  it('take turns, each with its path', () => {
    const hosts = new BackendHosts({ host: [A, B, C] });
    expect(turns(hosts, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(Array.from({ length: 3 }, () => hosts.next())).toMatchObject([
      { origin: A, basePath: '' },
      { origin: 'https://b.example:8443', basePath: '/base' },
      { origin: 'http://c.example', basePath: '/x' },
    ]);
    expect(turns(new BackendHosts({ host: A }), 2)).toEqual(['a', 'a']);
  });

  it('are left out while they fail, and asked now and then', async () => {
    const hosts = new BackendHosts({ host: [A, B, C], breaker: { failures: 1, probeEveryMs: 50 } });
    await fail(hosts, 'b');
    expect(new Set(turns(hosts, 6))).toEqual(new Set(['a', 'c']));
    expect(hosts.state).toBe('closed');
    await fail(hosts, 'a');
    await fail(hosts, 'c');
    expect(hosts.state).toBe('open');
    // With all circuits open, a host is still returned, which then refuses the call.
    expect(turns(hosts, 3).toSorted()).toEqual(['a', 'b', 'c']);
    await expect(hosts.next().bulkhead.run(() => Promise.resolve(1))).rejects.toMatchObject({
      explanation: expect.stringMatching(/^the backend at http.*was not called/),
    });
    let { bulkhead } = hosts.next();
    await expect.poll(() => (bulkhead = hosts.next().bulkhead).takesCalls).toBe(true);
    await bulkhead.run(() => Promise.resolve(1));
    expect(hosts.state).toBe('closed');
    expect([hosts.count('inFlight'), hosts.count('rejected')]).toEqual([0, 1]);
  });

  it('are left out while they have too many calls', async () => {
    const hosts = new BackendHosts({ host: [A, B], maxConnections: 1, maxWaiting: 0 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = hosts.next().bulkhead.run(() => promise);
    expect(turns(hosts, 3)).toEqual(['b', 'b', 'b']);
    expect(hosts.count('inFlight')).toBe(1);
    resolve();
    await call;
    expect(turns(hosts, 2).toSorted()).toEqual(['a', 'b']);
  });

  it.each([[''], [[]], ['ftp://a'], [[A, 'b']]])('have to be URLs: %j', (host) => {
    expect(() => new BackendHosts({ host })).toThrow(/^the option host of BackendModule/);
  });
});
