import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';

const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
const CODES: Readonly<Record<number, string>> = {
  408: 'request_timeout',
  413: 'body_too_large',
  431: 'headers_too_large',
};

/**
 * Answers what never became a request, in the shape of all other errors, and closes the connection.
 *
 * @returns the error code; `undefined` when there is nobody to answer
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
): string | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const status = STATUS[error.code ?? ''] ?? 400;
  const code = CODES[status] ?? 'request_malformed';
  const id = randomUUID();
  const body = JSON.stringify({
    error: 'invalid_request',
    error_description: STATUS_CODES[status],
    code,
    request_id: id,
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${id}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
  return code;
}
