import type { BackendRequest, BackendResponse, StreamedResponse } from './transport/exchange.js';

/** Provider token of the {@link BackendHttp} of `BackendModule`. */
export const BACKEND_HTTP = Symbol('signet.backend-http');

/** How `BackendClient` sends a request: by the `HttpService` of the application. */
export interface BackendHttp {
  /** @returns the response, whatever its status */
  send(request: BackendRequest): Promise<BackendResponse>;
  /** Like {@link send}, but the body of the response is a stream. */
  open(request: BackendRequest): Promise<StreamedResponse>;
}
