import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorAnswer } from '../http/index.js';

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
  const description = STATUS_CODES[status] ?? '';
  const { headers, body } = errorAnswer(
    { status, error: 'invalid_request', code, description },
    randomUUID(),
  );
  const head = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${description}\r\n${head.join('')}\r\n${body}`);
  return code;
}
