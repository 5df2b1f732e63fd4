export { bodyMiddleware } from './body.middleware.js';
export { answerClientError } from '../server/client-error.js';
export { ErrorFilter, type ErrorFilterOptions } from './error.filter.js';
export {
  requestEndMiddleware,
  type FinishedRequest,
  type RequestListener,
} from './request-end.middleware.js';
export { GatewayAdapter } from '../server/gateway-adapter.js';
export { requestContextMiddleware } from './request-context.middleware.js';
export { inOne } from './in-one.js';
