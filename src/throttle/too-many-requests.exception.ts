import { GatewayException } from '../http/index.js';

/** 429 `rate_limited`, with `Retry-After`. */
export class TooManyRequestsException extends GatewayException {
  /** @param seconds value of `Retry-After` */
  constructor(seconds: number) {
    super({
      status: 429,
      error: 'invalid_request',
      code: 'rate_limited',
      description: 'There were too many requests from this address.',
      headers: { 'Retry-After': String(seconds) },
    });
  }
}
