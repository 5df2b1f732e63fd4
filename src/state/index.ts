export {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
} from './revocation.js';
export { StateUnavailable } from './state.errors.js';
export type {
  ChangeCursor,
  Hits,
  RefreshOutcome,
  RefreshUse,
  RevocationChanges,
  StateStore,
} from './state-store.js';
