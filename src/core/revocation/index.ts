export {
  deadFrom,
  covers,
  LATEST_EXPIRY,
  LONGEST_LEEWAY,
  REVOCATION_KINDS,
  comparedTime,
  type Revocation,
  type RevocationKind,
  type RevocationName,
  type RevocationSubject,
  type TokenAge,
} from './revocation.js';
export {
  claimName,
  nameOf,
  newTokenIds,
  qualifiedName,
  revocationSubject,
  sessionName,
  tokenAge,
  tokenDigest,
  type TokenNames,
} from './token-id.js';
