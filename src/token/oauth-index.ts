export { IntrospectionController } from './introspection.controller.js';
export { OAuthModule } from './oauth.module.js';
export type { OAuthModuleOptions, RefreshOptions } from './oauth.module-definition.js';
export { IssuedTokens } from '../session/issued-tokens.service.js';
export { RefreshRefusedException } from './refresh.exceptions.js';
export { readTokenRequest, type TokenParameters } from './token-request.js';
export { TokenRequestException } from './token-request.exception.js';
export { TokenSessions } from './token-sessions.service.js';
