import type { IncomingMessage } from 'node:http';

/** What the gateway itself knows of a request. */
export interface RequestContext {
  /** Goes into `X-Request-Id`, error answers and log lines. */
  readonly id: string;
  /** Why the request was refused or failed, for its log line. */
  refusal?: { code: string; explanation?: string };
  /** The request is a login: it asks the backend for tokens, with no token of its own. */
  login?: true;
}

const CONTEXT = Symbol('signet.request-context');
type WithContext = IncomingMessage & { [CONTEXT]?: RequestContext };

export function setRequestContext(request: IncomingMessage, context: RequestContext): void {
  (request as WithContext)[CONTEXT] = context;
}

/** The context of a request; a request that never passed the first middleware has none. */
export const requestContext = (request: IncomingMessage): RequestContext | undefined =>
  (request as WithContext)[CONTEXT];

/** Notes that a request is a login, for the metrics. */
export function markLogin(request: IncomingMessage): void {
  const context = requestContext(request);
  if (context !== undefined) context.login = true;
}
