export { IntrospectionController } from './introspection.controller.js';
export { OAuthModule } from './oauth.module.js';
export type { OAuthModuleOptions, RefreshOptions } from './oauth.module-definition.js';
export { OwnTokens } from './own-tokens.js';
export { RefreshRefused } from './refresh.errors.js';
export { readTokenRequest, type TokenParameters } from './token-request.js';
export { TokenRequestRefused } from './token-request.errors.js';
export { TokenSessions } from './token-sessions.js';
