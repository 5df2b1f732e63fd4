import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
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

/** The methods that a path has routes for; empty when there is no such path. */
export type MethodsOf = (path: string) => readonly string[];

/** What the parser of Node says of an error, and what it had read. */
type ParserError = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer;
  /** Of the packet, where it was understood. */
  readonly bytesParsed?: number;
};

/** A request line with a method that Node does not know. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ (\/[!-~]*) HTTP\/1\.[01]\r?\n/;
const MAX_LINE = 8192;

/** Connections that are given up: the parser complains about everything that still comes. */
const givenUp = new WeakSet<Socket>();

/**
 * Answers what never became a request, in the shape of all other errors, and closes the connection. Answers to the
 * requests before it are sent first.
 *
 * @param methodsOf for requests with a method that nobody knows. Default: there are no paths
 * @returns the error code; `undefined` when there is nobody to answer
 */
export function answerClientError(
  error: ParserError,
  socket: Socket,
  methodsOf: MethodsOf = () => [],
): string | undefined {
  if (givenUp.has(socket)) return undefined;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  givenUp.add(socket);
  const allow = unknownMethodOf(error, methodsOf);
  const status = allow.length > 0 ? 405 : (STATUS[error.code ?? ''] ?? 400);
  const code = CODES[status] ?? 'request_malformed';
  const description = STATUS_CODES[status] ?? '';
  const answer: GatewayError = {
    status,
    error: 'invalid_request',
    code,
    description,
    headers: allow.length > 0 ? { Allow: allow.join(', ') } : {},
  };
  whenAnswered(socket, () => endWith(socket, answer));
  return code;
}

/** Node keeps here the answer that is next on a connection. */
type Answering = Socket & { readonly _httpMessage?: ServerResponse | null };

function whenAnswered(socket: Answering, then: () => void): void {
  const { _httpMessage: response } = socket;
  // Of one that is not complete the rest will not come.
  if (response === undefined || response === null || !response.req.complete) then();
  else response.once('close', () => setImmediate(whenAnswered, socket, then));
}

function endWith(socket: Duplex, error: GatewayError): void {
  if (!socket.writable) return;
  const { status, headers, body } = errorAnswer(error, randomUUID());
  const head = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`);
}

/**
 * Answers a CONNECT: the gateway is no proxy (RFC 9110 section 9.3.6).
 *
 * @returns the error code
 */
export function answerConnect(socket: Duplex): string {
  socket.on('error', () => undefined);
  endWith(socket, {
    status: 405,
    error: 'invalid_request',
    code: 'method_not_allowed',
    description: 'This is no proxy.',
    // RFC 9110 section 10.2.1: it allows no method.
    headers: { Allow: '' },
  });
  return 'method_not_allowed';
}

/** What is allowed where a request is one but for its method; empty for anything else. */
function unknownMethodOf(
  { code, rawPacket, bytesParsed = 0 }: ParserError,
  methodsOf: MethodsOf,
): readonly string[] {
  if (code !== 'HPE_INVALID_METHOD' || rawPacket === undefined) return [];
  // Good requests may stand before it.
  const start = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1;
  const target = REQUEST_LINE.exec(rawPacket.toString('latin1', start, start + MAX_LINE))?.[1];
  return target === undefined ? [] : methodsOf(target.split('?', 1)[0] ?? '/');
}
