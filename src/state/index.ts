export { MemoryStore } from './memory.store.js';
export { openStore } from './open-store.js';
export {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
} from '../core/revocation/revocation.js';
export { Revocations, type RevocationRequest } from './revocations.service.js';
export { StateUnavailableException } from './state-unavailable.exception.js';
export { STATE_STORE, StateModule } from './state.module.js';
export type { StateModuleOptions } from './state.module-definition.js';
export type {
  ChangeCursor,
  Hits,
  RefreshOutcome,
  RefreshUse,
  RevocationChanges,
  StateStore,
} from './state-store.js';
export { revocationSubject, tokenId, type TokenNames } from '../core/revocation/token-id.js';
