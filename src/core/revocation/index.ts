export {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type RevocationSubject,
  isMeant,
} from './revocation.js';
export { type TokenNames, revocationSubject, tokenId, claimName } from './token-id.js';
