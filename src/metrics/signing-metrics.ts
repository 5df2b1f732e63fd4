import { Counter, type Registry } from '@prometheus-io/client';
import type { SigningEvents } from '../signing/index.js';

/** Registers the metric of the tokens that this process signs. */
export function registerSigningMetrics(registry: Registry, signing: SigningEvents): void {
  /** Counts by key and algorithm. The counter is updated when it is read, as in `CountsByLabel`. */
  const counts = new Map<string, Map<string, number>>();
  const tokens = new Counter({
    name: 'signet_tokens_signed_total',
    help: 'Tokens signed, by algorithm and key.',
    labelNames: ['alg', 'kid'],
    registers: [registry],
    collect: (): void => {
      tokens.reset();
      for (const [kid, ofKey] of counts)
        for (const [alg, count] of ofKey) tokens.inc({ alg, kid }, count);
    },
  });
  signing.onSigned(({ alg, kid }) => {
    let ofKey = counts.get(kid);
    if (ofKey === undefined) counts.set(kid, (ofKey = new Map()));
    ofKey.set(alg, (ofKey.get(alg) ?? 0) + 1);
  });
}
