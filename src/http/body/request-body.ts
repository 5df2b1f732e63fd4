import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { hasDuplicateMembers, mediaType } from '../../core/json/index.js';
import { GatewayException } from '../gateway.exception.js';

/** A request whose body is refused. */
export class RequestBodyException extends GatewayException {
  constructor(
    status: 400 | 413 | 415,
    code: 'body_malformed' | 'parameter_repeated' | 'body_too_large' | 'media_type_unsupported',
    description: string,
    explanation?: string,
  ) {
    super({ status, error: 'invalid_request', code, description, explanation });
  }
}

/** True when a body follows the head of a request (RFC 9112 section 6). */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/**
 * Reads a body of at most `limit` bytes. It fails as soon as the announced or the counted length exceeds the limit,
 * whereas the usual parsers read the whole body first.
 *
 * @param limit bytes
 * @throws RequestBodyException 413 `body_too_large`: the rest is not read; 400 `body_malformed` when the client
 * disconnects
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > limit) {
      reject(bodyTooLarge(limit));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      request.off('data', onData).pause();
      reject(bodyTooLarge(limit));
    };
    request
      .on('data', onData)
      .once('end', () => resolve(Buffer.concat(chunks)))
      .once('error', () => reject(brokenOff()));
  });
}

/** The client disconnected before the end of the body, so this answer reaches no client. */
const brokenOff = (): RequestBodyException =>
  new RequestBodyException(400, 'body_malformed', 'The body broke off.');

const bodyTooLarge = (limit: number): RequestBodyException =>
  new RequestBodyException(413, 'body_too_large', `The body is larger than ${limit} bytes.`);

/** Largest announced length of a body that is read as a whole. Other bodies are streamed. */
const READ_FIRST_BYTES = 64 * 1024;

/** A request whose body a middleware may have read. */
type ReadRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/**
 * Returns the original body of a request, even if a body parser has read it. A body that has not been read, and is
 * large or of unknown length, is returned as a stream, which fails like {@link readBody}.
 *
 * @param limit bytes
 * @returns `undefined` if there is no body
 * @throws RequestBodyException 413 `body_too_large`; 415 `media_type_unsupported` for a body that was read without
 * keeping its bytes
 */
export async function untouchedBody(
  request: ReadRequest,
  limit: number,
): Promise<Buffer | Readable | undefined> {
  if (!hasBody(request)) return undefined;
  const read = [request.body, request.rawBody].find((bytes) => Buffer.isBuffer(bytes));
  if (read !== undefined) {
    if (read.length > limit) throw bodyTooLarge(limit);
    return read;
  }
  if (request.readableDidRead)
    throw new RequestBodyException(
      415,
      'media_type_unsupported',
      'A body of this type cannot be passed on.',
      'a body parser has read the body, and its bytes are gone: make the application with NestFactory.create(…, { rawBody: true }) or { bodyParser: false }',
    );
  const length = Number(request.headers['content-length'] ?? Infinity);
  if (length > limit && Number.isFinite(length)) throw bodyTooLarge(limit);
  return length <= READ_FIRST_BYTES ? readBody(request, limit) : boundedBody(request, limit);
}

/**
 * Returns the body as a stream of at most `limit` bytes. If its reader stops, the request is not destroyed, so that it
 * can still be answered.
 */
function boundedBody(request: IncomingMessage, limit: number): Readable {
  let size = 0;
  const body = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      if (size > limit) done(bodyTooLarge(limit));
      else done(null, chunk);
    },
  });
  // The error of the client must not count as an error of the backend.
  request.once('error', () => body.destroy(brokenOff())).pipe(body);
  // The stream may fail before it has a reader. The reader then finds it destroyed.
  body.on('error', () => undefined);
  return body;
}

/** Converts the bytes of a body to a value. */
export type BodyParser = (body: Buffer) => unknown;

/**
 * Returns the parser for a content type: JSON (RFC 8259) becomes any value, a form an object of strings. Neither may
 * contain a name twice, since two readers could then see two different requests.
 *
 * @param lists names that a form may contain several times. Their values are a list then
 * @returns a parser that throws RequestBodyException 400 `body_malformed` or `parameter_repeated`; `undefined` for
 * other types
 */
export function bodyParser(
  contentType: string | undefined,
  lists: ReadonlySet<string> = NONE,
): BodyParser | undefined {
  switch (mediaType(contentType)) {
    case 'application/json':
      return parseJson;
    case 'application/x-www-form-urlencoded':
      return (body) => parseForm(body, lists);
    default:
      return undefined;
  }
}

function parseJson(body: Buffer): unknown {
  const text = toText(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestBodyException(400, 'body_malformed', 'The body is not valid JSON.');
  }
  if (hasDuplicateMembers(text, value))
    throw new RequestBodyException(400, 'parameter_repeated', 'The body names a member twice.');
  return value;
}

const NONE: ReadonlySet<string> = new Set();

function parseForm(body: Buffer, lists: ReadonlySet<string>): Record<string, string | string[]> {
  // The constructor would drop a question mark at the start, which in a body belongs to the name.
  const form = new URLSearchParams(`?${toText(body)}`);
  const single = [...form.keys()].filter((name) => !lists.has(name));
  if (new Set(single).size !== single.length)
    throw new RequestBodyException(400, 'parameter_repeated', 'The body names a parameter twice.');
  return Object.fromEntries(
    form.entries().map(([name, value]) => {
      const all = lists.has(name) ? form.getAll(name) : [];
      return [name, all.length > 1 ? all : value];
    }),
  );
}

function toText(body: Buffer): string {
  if (!isUtf8(body))
    throw new RequestBodyException(400, 'body_malformed', 'The body is not UTF-8.');
  return body.toString();
}
