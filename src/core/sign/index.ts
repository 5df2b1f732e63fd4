export { signAnswer, type SigningSteps } from './sign-answer.js';
export { overlaps, signFields, type ClaimSet } from './sign-fields.js';
export { signToken, type TokenFormat } from './sign-token.js';
export { SigningError, type SigningErrorCode } from './signing.error.js';
export {
  compileSigningPolicy,
  isRefreshField,
  STANDARD_SIGNING,
  type FieldPolicy,
  type RouteSigningOptions,
  type SigningOptions,
  type SigningPolicy,
} from './signing-policy.js';
export { stampClaims, type StaleExpPolicy, type Stamp } from './stamp-claims.js';
export { withTokenMetadata } from './token-metadata.js';
