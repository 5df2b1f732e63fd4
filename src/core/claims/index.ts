export { AUDIENCE_TYPE, claimTypeProblem, namesIn, type ClaimTypeProblem } from './claim-types.js';
export { claimText, isKeyBound, rolesOf, scopesOf } from './claim-values.js';
export { readClaim } from './claim-path.js';
export {
  ACCESS_TOKEN_TYPE,
  HOP_TOKEN_HEADER,
  HOP_TOKEN_TYPE,
  normalizeType,
  missingProfileClaims,
  otherKind,
  ACCESS_TOKEN_CLAIMS,
} from './token-type.js';
