export {
  deadFrom,
  isMeant,
  LATEST_EXPIRY,
  LONGEST_LEEWAY,
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type RevocationName,
  type RevocationSubject,
} from './revocation.js';
export {
  claimName,
  nameOf,
  newTokenIds,
  qualifiedName,
  revocationSubject,
  sessionName,
  tokenDigest,
  type TokenNames,
} from './token-id.js';
