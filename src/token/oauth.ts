// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

/** Refresh, revocation and introspection: `nest-signet/oauth`. */
export {
  INTROSPECTION_OPTIONS,
  type IntrospectionModuleOptions,
} from './introspection/introspection.module-definition.js';
export { IntrospectionModule } from './introspection/introspection.module.js';
export type { RefreshedSession, RefreshHandler } from './login-handler.js';
export {
  OAUTH_OPTIONS,
  type OAuthModuleOptions,
  type RefreshOptions,
} from './oauth.module-definition.js';
export { OAuthModule } from './oauth.module.js';
export { RefreshRefusedException } from './refresh/refresh.exceptions.js';
export type { TokenAnswer } from './token-answer.js';
