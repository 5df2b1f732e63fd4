export { IntrospectionModule } from './introspection.module.js';
export type { IntrospectionModuleOptions } from './introspection.module-definition.js';
export { OAuthModule } from './oauth.module.js';
export {
  OAUTH_OPTIONS,
  type OAuthModuleOptions,
  type RefreshOptions,
} from './oauth.module-definition.js';
export { RefreshRefusedException } from './refresh.exceptions.js';
export type { TokenAnswer } from './token-answer.js';
export { TokenController } from './token.controller.js';
export { TokenModule } from './token.module.js';
export type { TokenModuleOptions } from './token.module-definition.js';
export { readTokenRequest, type TokenParameters } from './token-request.js';
export { TokenRequestException } from './token-request.exception.js';
export { TokenSessions } from './token-sessions.service.js';
