export {
  bearerToken,
  tokenMissing,
  tokenOfCookie,
  type BearerToken,
  type TokenPlaces,
} from './bearer-token.js';
export {
  ACCESS_CHECKS,
  asksForLogin,
  refusalOfAccess,
  refusalOfClaims,
  refusalOfLogin,
  refusalOfTimes,
  CLAIM_CHECKS,
  type Refusal,
} from './claim-checks.js';
export {
  claimHeaderProblems,
  claimsToHeaders,
  parseClaimHeaders,
  type ClaimHeaderFormat,
  type ClaimHeaderList,
  type ClaimHeaders,
} from './claim-headers.js';
export {
  useDpopProof,
  verifyDpopProof,
  type ExpectedProof,
  type NonceSource,
  type ProofMemory,
  type VerifiedProof,
} from './dpop-proof.js';
export {
  isSameOrigin,
  type OwnOrigin,
  normalizeUrl,
  requestBase,
  requestPath,
  requestUrl,
  type AddressedRequest,
  type Addressing,
} from './request-url.js';
export { SIGNATURE_CACHE_SIZE, SignatureCache } from './signature-cache.js';
export {
  allowedAlgorithm,
  allowedType,
  assertAccessToken,
  assertFits,
  assertProfile,
  refusalOfRevocation,
  refusalOfSignature,
  introspected,
  isOpaque,
  parseClaims,
  parseToken,
  type Introspector,
  type RevocationView,
} from './token-checks.js';
export { assertHolder, needsHolder, type TokenHolder } from './token-binding.js';
export type {
  ClaimsCheck,
  HopOptions,
  IntrospectionOptions,
  IssuerFinder,
  IssuerOptions,
  Matcher,
  PolicyDefaults,
  RoutePolicyOptions,
  TokenPolicy,
  TokenPolicyOptions,
  TokenProfile,
} from './policy-options.js';
export { DPOP_ALGORITHMS, hasUncheckedAudience, hopOptionsProblem } from './policy-rules.js';
export {
  compilePolicy,
  foreignIssuerOf,
  issuerKeySource,
  STANDARD_INTROSPECTION,
  STANDARD_POLICY,
  varyPolicy,
} from './token-policy.js';
export type { VerifiedClaims } from './verified-claims.js';
export {
  answerPolicy,
  issuerPolicy,
  tokenVerdict,
  verifyToken,
  type TokenVerdict,
  type TokenUses,
  type Verification,
  type VerificationKeys,
} from './verify-token.js';
