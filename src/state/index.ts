// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { MemoryStore } from './memory/memory.store.js';
export { openStore, type StoreOptions } from './open-store.js';
export { Revocations, type RevocationRequest } from './revocations/revocations.service.js';
export { backUpStore, restoreStore, type BackupContents } from './store-backup.js';
export { SuccessorUses } from './successor-uses.service.js';
export {
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
} from './state-unavailable.exception.js';
export type { SessionRecord, SessionRecords } from './session-records.js';
export { STATE_STORE, StateModule } from './state.module.js';
export { STATE_OPTIONS, type StateModuleOptions } from './state.module-definition.js';
export type {
  ChangeCursor,
  Hits,
  RefreshOutcome,
  RefreshUse,
  Replay,
  RevocationChanges,
  StateStore,
} from './state-store.js';
// Also part of the public API of this module.
export {
  REVOCATION_KINDS,
  revocationSubject,
  tokenDigest,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
  type TokenNames,
} from '../core/revocation/index.js';
