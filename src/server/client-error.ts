import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorAnswer, type GatewayError } from '../http/index.js';

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

/** Returns the methods that a path has routes for; empty when there is no such path. */
export type MethodsOf = (path: string) => readonly string[];

/** An error of Node's HTTP parser, with the packet that it was reading. */
type ParserError = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer;
  /** Number of bytes of the packet that were parsed. */
  readonly bytesParsed?: number;
};

/** A request line with a method that Node does not know. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ (\/[!-~]*) HTTP\/1\.[01]\r?\n/;
const MAX_LINE = 8192;

/** A socket, with the response that Node currently writes to it. Responses to later requests follow. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/** Sockets whose error is answered when the responses before it are sent. */
const waiting = new WeakSet<Socket>();

/**
 * Answers a message that is not a valid request, in the form of all other errors, and closes the connection. Earlier
 * requests on the same connection get their answers first (RFC 9112 section 9.3.2).
 *
 * @param methodsOf used for requests with a method that Node does not know. Default: there are no paths
 * @returns the error code; `undefined` when the client is gone, or the connection has already got its error
 */
export function answerClientError(
  error: ParserError,
  socket: Socket,
  methodsOf: MethodsOf = () => [],
): string | undefined {
  if (error.code === 'ECONNRESET' || (!socket.writable && !waiting.has(socket))) {
    socket.destroy();
    return undefined;
  }
  // Each further packet causes another error.
  if (waiting.has(socket)) return undefined;
  const allow = unknownMethodOf(error, methodsOf);
  const status = allow.length > 0 ? 405 : (STATUS[error.code ?? ''] ?? 400);
  const code = CODES[status] ?? 'request_malformed';
  endInTurn(
    socket,
    textOf({
      status,
      error: 'invalid_request',
      code,
      description: STATUS_CODES[status] ?? '',
      headers: allow.length > 0 ? { Allow: allow.join(', ') } : {},
    }),
  );
  return code;
}

/** Returns the whole answer, which ends the connection. */
function textOf(error: GatewayError): string {
  const { status, headers, body } = errorAnswer(error, randomUUID());
  const head = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`;
}

/**
 * Refuses a CONNECT request: the gateway is no proxy (RFC 9110 section 9.3.6).
 *
 * @returns the error code
 */
export function answerConnect(socket: Duplex): string {
  socket.on('error', () => undefined);
  socket.end(
    textOf({
      status: 405,
      error: 'invalid_request',
      code: 'method_not_allowed',
      description: 'This is no proxy.',
      // An empty value says that no method is allowed (RFC 9110 section 10.2.1).
      headers: { Allow: '' },
    }),
  );
  return 'method_not_allowed';
}

/** Sends a text and ends the socket, after all responses that have to come first. */
function endInTurn(socket: HttpSocket, text: string): void {
  const response = socket._httpMessage ?? undefined;
  // The error comes after a complete request, or the response is complete and only has to be sent.
  if (response !== undefined && (response.req.complete || response.writableEnded)) {
    waiting.add(socket);
    response.once('close', () => endInTurn(socket, text));
    return;
  }
  waiting.delete(socket);
  // The answer to an incomplete request has begun: a second head would become part of its body.
  if (response?.headersSent === true) socket.destroy();
  // After an answer with `Connection: close`, Node ends the socket itself.
  else if (socket.writable) socket.end(text);
}

/** Returns the allowed methods for a request that is valid except for its method; empty for any other error. */
function unknownMethodOf(
  { code, rawPacket, bytesParsed = 0 }: ParserError,
  methodsOf: MethodsOf,
): readonly string[] {
  if (code !== 'HPE_INVALID_METHOD' || rawPacket === undefined) return [];
  // Valid requests may precede it in the packet.
  const start = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1;
  const target = REQUEST_LINE.exec(rawPacket.toString('latin1', start, start + MAX_LINE))?.[1];
  return target === undefined ? [] : methodsOf(target.split('?', 1)[0] ?? '/');
}
