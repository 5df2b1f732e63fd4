export { JwtSigner, type TokenFormat } from './jwt-signer.js';
export { SignFields, type SignFieldsDecorator } from './sign-fields.decorator.js';
export type { SignFieldsOptions } from './sign-fields.metadata.js';
export type { ClaimSet } from './sign-fields.js';
export { SignedRoutes } from './signed-routes.js';
export { SigningRefused } from './signing.errors.js';
export { SigningInterceptor } from './signing.interceptor.js';
export { SigningModule } from './signing.module.js';
export type { SigningModuleOptions, StaleExpPolicy } from './signing.module-definition.js';
