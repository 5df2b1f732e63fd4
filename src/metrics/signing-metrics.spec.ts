import { Registry } from '@prometheus-io/client';
import { expect, it } from 'vitest';
import { SigningEvents } from '../signing/index.js';
import { registerSigningMetrics } from './signing-metrics.js';

it('counts signed tokens by algorithm and key, and tells nothing else of them', async () => {
  const registry = new Registry();
  const events = new SigningEvents();
  registerSigningMetrics(registry, events);
  for (const kid of ['a', 'b', 'a'])
    events.tell({ alg: 'ES256', kid, typ: 'at+jwt', exp: 1_800_000_000 });
  const text = await registry.getSingleMetricAsString('signet_tokens_signed_total');
  expect(text.split('\n').slice(2)).toEqual([
    'signet_tokens_signed_total{alg="ES256",kid="a"} 2',
    'signet_tokens_signed_total{alg="ES256",kid="b"} 1',
  ]);
});
