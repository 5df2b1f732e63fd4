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
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'body_too_large',
  431: 'headers_too_large',
};

/** The methods that a path has routes for; empty when there is no such path. */
export type MethodsOf = (path: string) => readonly string[];

/** What the parser of Node says of an error, and what it had read. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** A request line with a method that Node does not know. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ (\/[!-~]*) HTTP\/1\.[01]\r?\n/;
const MAX_LINE = 8192;

/**
 * Answers what never became a request, in the shape of all other errors, and closes the connection.
 *
 * @param methodsOf for requests with a method that nobody knows. Default: there are no paths
 * @returns the error code; `undefined` when there is nobody to answer
 */
export function answerClientError(
  error: ParserError,
  socket: Socket,
  methodsOf: MethodsOf = () => [],
): string | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const allow = unknownMethodOf(error, methodsOf);
  const status = allow.length > 0 ? 405 : (STATUS[error.code ?? ''] ?? 400);
  const code = CODES[status] ?? 'request_malformed';
  const description = STATUS_CODES[status] ?? '';
  const { headers, body } = errorAnswer(
    {
      status,
      error: 'invalid_request',
      code,
      description,
      headers: allow.length > 0 ? { Allow: allow.join(', ') } : {},
    },
    randomUUID(),
  );
  const head = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${description}\r\n${head.join('')}\r\n${body}`);
  return code;
}

/** What is allowed where a request is one but for its method; empty for anything else. */
function unknownMethodOf(
  { code, rawPacket }: ParserError,
  methodsOf: MethodsOf,
): readonly string[] {
  if (code !== 'HPE_INVALID_METHOD' || rawPacket === undefined) return [];
  const target = REQUEST_LINE.exec(rawPacket.toString('latin1', 0, MAX_LINE))?.[1];
  return target === undefined ? [] : methodsOf(target.split('?', 1)[0] ?? '/');
}
