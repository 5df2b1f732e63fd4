export { AuthGuard } from './auth.guard.js';
export { AuthRefused } from './auth.errors.js';
export { AuthModule } from './auth.module.js';
export type { AuthModuleOptions, Matcher, TokenRequirement } from './auth.module-definition.js';
export { Claims } from './claims.decorator.js';
export { JwtVerifier } from './jwt-verifier.js';
export { RequireJwt } from './require-jwt.decorator.js';
export type { RequireJwtOptions } from './require-jwt.metadata.js';
export type { VerifiedClaims } from './verified-claims.js';
