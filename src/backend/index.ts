export type { CallSpan, CallTracer } from './call-tracer.js';
export { BackendAnswer } from './backend-answer.js';
export {
  BackendClient,
  DEFAULT_MAX_BODY_BYTES,
  DEFAULT_TIMEOUT_MS,
  type BackendCall,
  type BackendStats,
} from './backend-client.service.js';
export type { BackendOutcome, CallListener } from './backend-bulkhead.js';
export type { BreakerOptions, BreakerState } from './circuit-breaker.js';
export {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
  ClaimForBackendMissingException,
} from './backend.exceptions.js';
export { BackendModule } from './backend.module.js';
export type { BackendModuleOptions } from './backend.module-definition.js';
export { pathSegment } from './path-segment.js';
// Part of what users of this module see.
export { withholdHeaders } from '../http/index.js';
