export { claimText } from './claim-text.js';
export { readClaim } from './claim-path.js';
export {
  ACCESS_TOKEN_TYPE,
  normalizeType,
  missingProfileClaims,
  ACCESS_TOKEN_CLAIMS,
} from './token-type.js';
