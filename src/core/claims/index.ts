export { claimText } from './claim-text.js';
export { AUDIENCE_TYPE, claimTypeProblem, namesIn, type ClaimTypeProblem } from './claim-types.js';
export { rolesOf, scopesOf } from './claim-words.js';
export { readClaim } from './claim-path.js';
export {
  ACCESS_TOKEN_TYPE,
  normalizeType,
  missingProfileClaims,
  ACCESS_TOKEN_CLAIMS,
} from './token-type.js';
