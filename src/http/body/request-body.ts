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
 * Reads a body, but not a byte past `limit`: at the announced or the counted length that is too
 * much it fails at once, where the usual parsers first read everything there is.
 *
 * @param limit bytes
 * @throws RequestBodyException 413 `body_too_large`: the rest is not read; 400 `body_malformed` when the client
 * is gone
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

/** The client hung up in the middle; nobody gets the answer. */
const brokenOff = (): RequestBodyException =>
  new RequestBodyException(400, 'body_malformed', 'The body broke off.');

const bodyTooLarge = (limit: number): RequestBodyException =>
  new RequestBodyException(413, 'body_too_large', `The body is larger than ${limit} bytes.`);

/** Bodies that announce no more bytes are read before anything is done with them. */
const READ_FIRST_BYTES = 64 * 1024;

/** A request whose body something before the handler may have read. */
type ReadRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/**
 * The body of a request as it came, whoever has read it: a stream where it is large, or of unknown length, and
 * nobody has. The stream fails like {@link readBody}.
 *
 * @param limit bytes
 * @returns `undefined` where there is no body
 * @throws RequestBodyException 413 `body_too_large`; 415 `media_type_unsupported` for a body of which the bytes are
 * not there any more
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

/** A reader that stops does not destroy the request, so that it can still be answered. */
function boundedBody(request: IncomingMessage, limit: number): Readable {
  let size = 0;
  const body = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      if (size > limit) done(bodyTooLarge(limit));
      else done(null, chunk);
    },
  });
  // The backend is not to blame for it.
  request.once('error', () => body.destroy(brokenOff())).pipe(body);
  // It may fail before anybody reads it; then the reader finds it destroyed.
  body.on('error', () => undefined);
  return body;
}

/** Makes a value of the bytes of a body. */
export type BodyParser = (body: Buffer) => unknown;

/**
 * How a body of this content type is read: JSON (RFC 8259) as any value, a form as an object of texts.
 * Neither may name a member twice: two readers must not see two different requests.
 *
 * @param lists names that a form may hold several times; such a member is a list then
 * @returns a parser that throws RequestBodyException 400 `body_malformed` or `parameter_repeated`;
 * `undefined` for other types
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
