import { IncomingMessage, ServerResponse, type ServerOptions } from 'node:http';
import { rememberHeaders } from './known-headers.js';

/** Members of an Express application that @types/express does not declare. */
export interface ExpressApplication {
  (request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Prototypes that the application gives to requests and responses. */
  request: object;
  response: object;
}

/**
 * Returns classes for the server (`http.createServer`) whose objects have the prototypes that Express gives to each
 * request and response with `Object.setPrototypeOf`. V8 discards its optimizations for an object whose prototype
 * changes: -13 % CPU of a 401, -5 % of a GET (bench/README.md, 2026-11-27).
 */
export function expressClasses(
  application: ExpressApplication,
): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(ExpressRequest.prototype, application.request);
  Object.setPrototypeOf(ExpressResponse.prototype, application.response);
  Object.assign(application, {
    request: ExpressRequest.prototype,
    response: ExpressResponse.prototype,
  });
  rememberHeaders(ExpressResponse.prototype);
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}
