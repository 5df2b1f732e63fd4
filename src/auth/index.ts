export { AuthGuard } from './auth.guard.js';
export { TokenRefusedException, CsrfRefusedException } from './auth.exceptions.js';
export { AuthModule } from './auth.module.js';
export type { AuthModuleOptions, Matcher, TokenPolicyOptions } from './auth.module-definition.js';
export {
  bearerToken,
  tokenMissing,
  tokenOfCookie,
  type BearerToken,
} from '../core/verify/bearer-token.js';
export { Claims } from './claims.decorator.js';
export {
  claimHeaderProblems,
  parseClaimHeaders,
  type ClaimHeaders,
} from '../core/verify/claim-headers.js';
export { JwtVerifier } from './jwt-verifier.service.js';
export { ProtectedRoutes } from './protected-routes.service.js';
export type { TokenPolicy } from '../core/verify/token-policy.js';
export { RequireJwt } from './require-jwt.decorator.js';
export { REQUIRE_JWT, type ClaimsClass, type RequireJwtOptions } from './require-jwt.metadata.js';
export type { VerifiedClaims } from '../core/verify/verified-claims.js';
export { assertSameOrigin, isSameOrigin } from '../core/verify/same-origin.js';
export { verifiedClaims } from './verified-request.js';
