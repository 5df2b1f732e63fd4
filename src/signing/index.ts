// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { JwtSigner } from './jwt-signer.service.js';
export { SignFields, type SignFieldsDecorator } from './sign-fields.decorator.js';
export { SIGN_FIELDS, type SignFieldsOptions } from './sign-fields.metadata.js';
export { SigningEvents, type SignedTokenEvent } from './signing-events.service.js';
export { SignedRoutes } from './signed-routes.service.js';
export { SigningException } from './signing.exception.js';
export { SigningInterceptor } from './signing.interceptor.js';
export { SignedAnswer, UnsignedAnswer } from './unsigned-answer.js';
export { SigningModule } from './signing.module.js';
export { SIGNING_OPTIONS, type SigningModuleOptions } from './signing.module-definition.js';
// Types that occur in the API of this module.
export type { ClaimSet, SigningSteps, StaleExpPolicy, TokenFormat } from '../core/sign/index.js';
