import type { IncomingMessage } from 'node:http';
import { isJsonObject } from '../core/json/index.js';
import { bodyParser, hasBody } from '../http/index.js';
import { TokenRequestException } from './token-request.exception.js';

const UNREADABLE = 'Send application/json, application/x-www-form-urlencoded, or no body.';

/** The parameters of a request to a token endpoint, by name; `undefined` for what is absent or no text. */
export type TokenParameters = (name: string) => string | undefined;

/**
 * The bytes of a request's body. A body that is there is never taken for none.
 *
 * @param body what `@Body()` gives: the bytes, or in an application with Nest's body parser a value;
 * then the application has to be made with `rawBody: true`
 * @returns `undefined` where there is no body
 * @throws TokenRequestException 415 `media_type_unsupported` for a body of which the bytes are not there
 */
export function bodyBytes(
  request: IncomingMessage & { rawBody?: unknown },
  body: unknown,
): Buffer | undefined {
  if (Buffer.isBuffer(body)) return body;
  if (!hasBody(request)) return undefined;
  if (Buffer.isBuffer(request.rawBody)) return request.rawBody;
  throw new TokenRequestException(
    'media_type_unsupported',
    UNREADABLE,
    'the body was not left as it came: make the application with NestFactory.create(…, { rawBody: true }), and the type has to be one that its body parser reads',
  );
}

/**
 * Reads the body of a request to a token endpoint: empty, JSON, or a form (RFC 6749 section 3.2).
 *
 * @throws TokenRequestException `media_type_unsupported` (415) or `body_malformed` (400)
 * @throws RequestBodyException `body_malformed` or `parameter_repeated` (400)
 */
export function readTokenRequest(
  contentType: string | undefined,
  body: Buffer | undefined,
): TokenParameters {
  if (body === undefined || body.length === 0) return () => undefined;
  const parse = bodyParser(contentType);
  if (parse === undefined) throw new TokenRequestException('media_type_unsupported', UNREADABLE);
  const members = parse(body);
  if (!isJsonObject(members))
    throw new TokenRequestException('body_malformed', 'The body is not a JSON object.');
  return (name) => {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    return typeof member === 'string' ? member : undefined;
  };
}

/**
 * One parameter of a request whose body was left as it came.
 *
 * @throws TokenRequestException 400 `body_malformed` when it is absent, and as {@link readTokenRequest}
 */
export function requireParameter(name: string, request: IncomingMessage, body: unknown): string {
  const bytes = bodyBytes(request, body);
  const value = readTokenRequest(request.headers['content-type'], bytes)(name);
  if (value === undefined || value === '')
    throw new TokenRequestException('body_malformed', `The parameter ${name} is missing.`);
  return value;
}
