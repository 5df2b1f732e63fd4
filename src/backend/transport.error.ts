/**
 * Carries an exception through axios, which takes an error with a `response` member, as every
 * `HttpException` has, for an HTTP answer and writes into it.
 */
export class TransportError extends Error {
  /** @param reason what the caller is to get */
  constructor(readonly reason: Error) {
    super(reason.message);
    this.name = 'TransportError';
  }
}
