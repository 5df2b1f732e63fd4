export { allowedMethods, type RoutedApplication } from './allowed-methods.js';
export { BACKEND_CLIENT } from './backend-client-token.js';
export { bodyMiddleware } from './body/body.middleware.js';
export {
  bodyParser,
  hasBody,
  RequestBodyException,
  untouchedBody,
  type BodyParser,
} from './body/request-body.js';
export { ERROR_FILTER_OPTIONS, ErrorFilter, type ErrorFilterOptions } from './error.filter.js';
export { lingerOnClose } from './linger.js';
export { errorAnswer, prepareAnswer, type ErrorAnswer } from './error-answer.js';
export {
  requestEndMiddleware,
  type FinishedRequest,
  type RequestListener,
} from './request-end.middleware.js';
export {
  corsHeaders,
  corsMiddleware,
  publicDocumentsMiddleware,
  type CorsHeaders,
  type CorsOptions,
} from './headers/cors.middleware.js';
export { EXPOSED_HEADERS } from './headers/exposed-headers.js';
export { FORWARDED_HEADERS, forwardedFor, trustsPeer } from './headers/forwarded-for.js';
export {
  HopTokens,
  HopTokensModule,
  type HopTokenMaker,
  type HopTokenRequest,
  type HopUser,
} from './hop-tokens.js';
export { inOne, inTurn } from './in-one.js';
export { GatewayException, type GatewayError } from './gateway.exception.js';
export {
  addBackendHeaders,
  markLogin,
  requestContext,
  requestContextMiddleware,
  withholdHeaders,
  type RequestContext,
} from './request-context.js';
export { answerMessage } from './message-error.js';
export { addCookie, setResponseHeader } from './headers/response-header.js';
export { ReservedHeadersModule, ReservedHeaders } from './headers/reserved-headers.js';
export { endInBatch } from './batched-end.js';
export { KNOWN_METHODS } from './known-methods.js';
export { REQUEST_TRACER, type RequestTracer } from './request-tracer.js';
