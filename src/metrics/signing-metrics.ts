import { Counter, type Registry } from '@prometheus-io/client';
import type { SigningEvents } from '../signing/index.js';

/** The tokens that this process signs. */
export function registerSigningMetrics(registry: Registry, signing: SigningEvents): void {
  const tokens = new Counter({
    name: 'signet_tokens_signed_total',
    help: 'Tokens signed, by algorithm and key.',
    labelNames: ['alg', 'kid'],
    registers: [registry],
  });
  signing.onSigned(({ alg, kid }) => tokens.inc({ alg, kid }));
}
