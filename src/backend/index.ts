export { BackendAnswer } from './backend-answer.js';
export { BackendClient, type BackendCall } from './backend-client.js';
export {
  BackendBadResponse,
  BackendRefused,
  BackendTimeout,
  BackendUnavailable,
  ClaimForBackendMissing,
} from './backend.errors.js';
export { BackendModule } from './backend.module.js';
export type { BackendModuleOptions } from './backend.module-definition.js';
export { withholdHeaders } from '../common/forwarding.js';
