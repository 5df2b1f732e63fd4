export {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
  isMeant,
} from './revocation.js';
export {
  claimName,
  nameOf,
  qualifiedName,
  revocationSubject,
  tokenId,
  type TokenNames,
} from './token-id.js';
