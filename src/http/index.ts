export { bodyMiddleware } from './body.middleware.js';
export { ErrorFilter, type ErrorFilterOptions } from './error.filter.js';
export {
  requestEndMiddleware,
  type FinishedRequest,
  type RequestListener,
} from './request-end.middleware.js';
export { requestContextMiddleware } from './request-context.middleware.js';
export { inOne } from './in-one.js';
export { GatewayException, type GatewayError } from './gateway.exception.js';
export {
  addBackendHeaders,
  addedBackendHeaders,
  withheldHeaders,
  withholdHeaders,
} from './backend-headers.js';
export { ReservedHeadersModule, ReservedHeaders } from './reserved-headers.js';
export { endTogether } from './end-together.js';
export { requestId } from './request-id.js';
export { KNOWN_METHODS } from './known-methods.js';
export { markLogin } from './request-context.js';
export { REQUEST_TRACER, type RequestTracer } from './request-tracer.js';
