import { Counter, type Registry } from '@prometheus-io/client';
import { INTROSPECTION_OUTCOMES, type IntrospectionEndpoints } from '../jwks/index.js';

/** Registers the metric of calls to the introspection endpoints of issuers. */
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
  // Prometheus can calculate a rate only if it has seen the counter at 0.
  for (const outcome of INTROSPECTION_OUTCOMES) calls.inc({ outcome }, 0);
  endpoints.onCall((outcome) => calls.inc({ outcome }));
}
