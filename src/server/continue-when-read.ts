import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * For a request with `Expect: 100-continue` (RFC 9110 section 10.1.1): the client is told to go on when somebody
 * begins to read the body, and not before; one that is refused by its head is never sent. As the body may come or
 * not then, the connection ends with such an answer.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request);
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  request._read = (size) => {
    request._read = read;
    // Node throws the rest of a body away once it was answered.
    if (!response.headersSent) {
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    }
    read(size);
  };
}
