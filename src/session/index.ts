// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { IssuedTokens, type PresentedToken } from './issued-tokens.service.js';
export { beginSession, continueSession } from './session-claims.js';
export { SessionCookies } from './session-cookies.service.js';
export { tokensIn, withoutTokens } from './answer-tokens.js';
export { SessionList, type SessionCount } from './session-list.service.js';
export { SessionListModule, SessionRoutesModule } from './session-list.module.js';
export {
  MOST_SESSIONS,
  SESSION_LIST_KINDS,
  type SessionListModuleOptions,
} from './session-list.module-definition.js';
export { SESSIONS_SCHEMA, toSessionResponse, type SessionResponse } from './session-response.js';
export { SessionEnd } from './session-end.service.js';
export { SessionModule } from './session.module.js';
export { SESSION_OPTIONS, type SessionModuleOptions } from './session.module-definition.js';
