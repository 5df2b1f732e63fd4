import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * For a request with `Expect: 100-continue` (RFC 9110 section 10.1.1): sends `100 Continue` when the body is first
 * read, and not before, so that a client does not send the body of a request that is refused by its head. After such a
 * refusal the connection is closed, since the client may send the body nevertheless.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request);
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  request._read = (size) => {
    request._read = read;
    // After the answer, Node reads the rest of the body only to discard it.
    if (!response.headersSent) {
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    }
    read(size);
  };
}
