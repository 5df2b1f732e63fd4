// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export * from './oauth.js';
export type { LoginHandler, LoginRequest } from './login-handler.js';
export { TokenController } from './token.controller.js';
export { TokenModule } from './token.module.js';
export { TOKEN_OPTIONS, type TokenModuleOptions } from './token.module-definition.js';
export { readTokenRequest, type TokenParameters } from './request/token-request.js';
export { TokenRequestException } from './request/token-request.exception.js';
export { TokenSessions } from './token-sessions.service.js';
