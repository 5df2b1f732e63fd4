import { compilePolicy, type IssuerFinder, type TokenPolicy } from '../core/verify/index.js';
import type { AuthModuleOptions } from './auth.module-definition.js';
import { compileClaimsCheck } from './claims-class.js';
import type { RequireJwtOptions } from './require-jwt.metadata.js';

/**
 * Compiles the policy of one route from the options of `@RequireJwt` and the defaults of the module.
 *
 * @param findIssuer see `compilePolicy`
 * @throws BootError when the policy could accept no token, or would check nothing
 */
export const compileRoutePolicy = (
  { claims, validate: _validate, optional, ...route }: RequireJwtOptions,
  defaults: AuthModuleOptions,
  findIssuer?: IssuerFinder,
): TokenPolicy =>
  compilePolicy(
    { ...route, optional: optional === 'lenient' || optional },
    defaults,
    claims === undefined ? undefined : compileClaimsCheck(claims),
    findIssuer,
  );
