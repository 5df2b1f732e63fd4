export { REQUEST_TRACER, type RequestTracer } from './request-tracer.js';
