// That the gateway refuses what is too much, and recovers, is shown by slow/server-limits. Here: how much it serves.
import { expect, it } from 'vitest';
import { FULL, limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { flood } from '../helpers/network/flood.js';
import { startGateway } from '../helpers/gateway/gateway.js';

it('F43 three times the capacity is mostly refused, and the rest served in time', async () => {
  const gateway = await startGateway({ SIGNER_ALG: 'RS256' });
  const seconds = FULL ? 10 : 3;
  await flood(gateway.url, 64, 0, seconds);
  const peak = (await flood(gateway.url, 64, 0, seconds)).status['200']?.rate ?? 0;
  const over = await flood(gateway.url, 500, 3 * peak, seconds);
  const { rate = 0, p99: slowest = NaN } = over.status['200'] ?? {};
  figure(
    `F43 ${Math.round(3 * peak)} requests/s offered, ${Math.round(peak)} is the peak: ${Math.round(rate)} served (${Math.round((100 * rate) / peak)} %, criterion 80 %), p99 ${Math.round(slowest)} ms (criterion 1000), ${Math.round(over.status['503']?.rate ?? 0)} refused`,
  );
  // How much is left for serving depends on what else the machine does.
  expect(rate / peak).toBeGreaterThan(limit(0.8, 0.1));
  expect(slowest).toBeLessThan(limit(1000, 20_000));
  expect(over.errors).toBe(0);
  await gateway.stop();
}, 120_000);
