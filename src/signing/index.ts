export { JwtSigner, type TokenFormat } from './jwt-signer.service.js';
export { SignFields, type SignFieldsDecorator } from './sign-fields.decorator.js';
export { SIGN_FIELDS, type SignFieldsOptions } from './sign-fields.metadata.js';
export type { ClaimSet } from '../core/sign/sign-fields.js';
export { SigningEvents, type SignedTokenEvent } from './signing-events.service.js';
export { SignedRoutes } from './signed-routes.service.js';
export {
  isRefreshField,
  type FieldPolicy,
  type SigningPolicy,
} from '../core/sign/signing-policy.js';
export { SigningException } from './signing.exception.js';
export { SigningInterceptor } from './signing.interceptor.js';
export { joinSigning, SignedAnswer, type SigningSession } from './unsigned-answer.js';
export { SigningModule } from './signing.module.js';
export type { SigningModuleOptions, StaleExpPolicy } from './signing.module-definition.js';
