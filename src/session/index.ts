export { IssuedTokens, type PresentedToken } from './issued-tokens.service.js';
export { beginSession, continueSession } from './session-claims.js';
export { SessionCookies } from './session-cookies.service.js';
export { SessionEnd } from './session-end.service.js';
export { SessionModule } from './session.module.js';
export { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';
