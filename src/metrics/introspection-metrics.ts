import { Counter, type Registry } from '@prometheus-io/client';
import { INTROSPECTION_OUTCOMES, type IntrospectionEndpoints } from '../jwks/index.js';

/** How asking issuers about tokens ends. */
export function registerIntrospectionMetrics(
  registry: Registry,
  endpoints: Pick<IntrospectionEndpoints, 'onCall'>,
): void {
  const calls = new Counter({
    name: 'signet_introspections_total',
    help: 'Calls to introspection endpoints by outcome: active, inactive, refused (4xx), failed (5xx), bad_response, unavailable, timeout, not_asked (circuit open, or too many calls).',
    labelNames: ['outcome'],
    registers: [registry],
  });
  // A rate needs to have seen 0.
  for (const outcome of INTROSPECTION_OUTCOMES) calls.inc({ outcome }, 0);
  endpoints.onCall((outcome) => calls.inc({ outcome }));
}
