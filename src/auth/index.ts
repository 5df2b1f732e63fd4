// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { AuthGuard } from './auth.guard.js';
export {
  CsrfRefusedException,
  IssuerUnavailableException,
  TokenRefusedException,
} from './auth.exceptions.js';
export { AuthModule } from './auth.module.js';
export { AUTH_OPTIONS, type AuthModuleOptions } from './auth.module-definition.js';
export type { StandardSchema } from './claims-class.js';
export { assertSameOrigin } from './assert-same-origin.js';
export type { IssuerResolver, IssuerResolverOptions, ResolvedIssuer } from './resolved-issuers.js';
export { compileRoutePolicy } from './route-policy.js';
export { rawRequest, type ContextRequest } from './context/context-request.js';
export { Claims } from './claims.decorator.js';
/** @internal */
export { claimsOfContext, claimsOfRequest } from './claims.decorator.js';
export { DpopProofs } from './possession/dpop-proofs.service.js';
export { RequestHolder, type HolderOptions } from './possession/request-holder.js';
export { JwtVerifier } from './jwt-verifier.service.js';
export { ProtectedRoutes, type RouteProtection } from './protected-routes.service.js';
export { Public } from './public.decorator.js';
export { RequireJwt } from './require-jwt.decorator.js';
export {
  REQUIRE_JWT,
  type ClaimsClass,
  type ClaimsValidator,
  type RequireJwtOptions,
} from './require-jwt.metadata.js';
export { setVerified, verifiedBy, verifiedClaims } from './verified-request.js';
// Types that occur in the API of this module.
export type {
  IntrospectionOptions,
  IssuerOptions,
  Matcher,
  TokenHolder,
  TokenPolicyOptions,
  TokenProfile,
  VerifiedClaims,
} from '../core/verify/index.js';
