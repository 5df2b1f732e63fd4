import { describe, expect, it } from 'vitest';
import { balance } from '../helpers/network/balancer.js';
import { FULL, limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { exitOf, startGateway } from '../helpers/gateway/gateway.js';

const ROUNDS = 3;
const CLUSTER_ROUNDS = FULL ? 20 : 2;
const REQUESTS_PER_SECOND = 500;

describe('SIGTERM under load', () => {
  it.each(['1', '2'])(
    `loses no request, with WORKERS=%s`,
    async (WORKERS) => {
      const rounds = WORKERS === '2' ? CLUSTER_ROUNDS : ROUNDS;
      let requests = 0;
      const failures: string[] = [];
      let slowest = 0;
      for (let round = 0; round < rounds; round++) {
        const gateway = await startGateway({ WORKERS, SHUTDOWN_DELAY_MS: '1000' });
        const load = balance(gateway, REQUESTS_PER_SECOND);
        await expect
          .poll(() => gateway.log().filter(({ status }) => status === 200).length)
          .toBeGreaterThan(100);
        gateway.process.kill('SIGTERM');
        const signalled = performance.now();
        const seen = await load;
        requests += seen.requests;
        failures.push(...seen.failures);
        expect(await exitOf(gateway)).toBe(0);
        slowest = Math.max(slowest, performance.now() - signalled);
        await gateway.stop();
      }
      figure(
        `F34 ${rounds} SIGTERMs at ${REQUESTS_PER_SECOND} requests/s, WORKERS=${WORKERS}: ${requests} requests, ${failures.length} failed (criterion 0), exit within ${Math.round(slowest)} ms (criterion 10000)`,
      );
      expect(failures).toEqual([]);
      expect(slowest).toBeLessThan(limit(10_000, 30_000));
    },
    FULL ? 600_000 : 90_000,
  );
});
