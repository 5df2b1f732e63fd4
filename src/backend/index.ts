// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export type {
  AnswerEncoding,
  BackendCall,
  CallSpan,
  CallTarget,
  CallTracer,
  JsonTypes,
  ProxyCall,
} from './backend-call.js';
export { BackendAnswer } from './answer/backend-answer.js';
export { BackendClient, type BackendStats } from './backend-client.service.js';
export type { BackendOutcome, CallListener } from './resilience/backend-bulkhead.js';
export type { BreakerOptions, BreakerState } from '../core/resilience/index.js';
export {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
  ClaimForBackendMissingException,
  ClientTooSlowException,
} from './backend.exceptions.js';
export { BackendModule } from './backend.module.js';
export {
  DEFAULT_MAX_BODY_BYTES,
  DEFAULT_TIMEOUT_MS,
  BACKEND_OPTIONS,
  type BackendModuleOptions,
} from './backend.module-definition.js';
export { pathSegment } from './request/backend-path.js';
export { withholdHeaders } from '../http/index.js';
