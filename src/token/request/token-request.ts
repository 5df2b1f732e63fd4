import type { IncomingMessage } from 'node:http';
import { namesIn } from '../../core/claims/index.js';
import { isJsonObject, mediaType } from '../../core/json/index.js';
import { bodyParser, hasBody, RequestBodyException } from '../../http/index.js';
import { TokenRequestException } from './token-request.exception.js';

const UNREADABLE = 'Send application/json, application/x-www-form-urlencoded, or no body.';

/**
 * The parameters of a request to a token endpoint, by name; `undefined` for a parameter that is absent, empty (RFC 6749
 * section 3.2) or not a string.
 */
export interface TokenParameters {
  (name: string): string | undefined;
  /**
   * All parameters as they were sent. Values of a form are strings, or lists where a parameter may be repeated; values
   * of JSON can be anything.
   */
  readonly members: Readonly<Record<string, unknown>>;
}

/** Parameters that may be repeated (RFC 8707 section 2, RFC 8693 section 2.1). */
const SEVERAL: ReadonlySet<string> = new Set(['resource', 'audience']);

/**
 * The bytes of a request's body. A body that cannot be read is never treated as absent.
 *
 * @param body what `@Body()` gives: the bytes or, in an application with Nest's body parser, a value. Such an
 * application has to be made with `rawBody: true`
 * @returns `undefined` where there is no body
 * @throws TokenRequestException 415 `media_type_unsupported` for a body whose bytes are not available
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
  if (body === undefined || body.length === 0) return parametersOf({});
  const parse = bodyParser(contentType, SEVERAL);
  if (parse === undefined) throw new TokenRequestException('media_type_unsupported', UNREADABLE);
  const members = parse(body);
  if (!isJsonObject(members))
    throw new TokenRequestException('body_malformed', 'The body is not a JSON object.');
  return parametersOf(members);
}

const parametersOf = (members: Readonly<Record<string, unknown>>): TokenParameters =>
  Object.assign(
    (name: string) => {
      const member = Object.hasOwn(members, name) ? members[name] : undefined;
      return typeof member === 'string' && member !== '' ? member : undefined;
    },
    { members },
  );

/**
 * The parameters of a request. In an application with Nest's body parser and without `rawBody`, the values of that
 * parser are used; then a member that JSON names twice is not detected.
 *
 * @param body what `@Body()` gives; see {@link bodyBytes}
 * @throws as {@link bodyBytes} and {@link readTokenRequest}
 */
export function requestParameters(
  request: IncomingMessage & { rawBody?: unknown },
  body: unknown,
): TokenParameters {
  const contentType = request.headers['content-type'];
  const isParsed = isJsonObject(body) && !Buffer.isBuffer(body) && hasBody(request);
  if (!isParsed || Buffer.isBuffer(request.rawBody) || bodyParser(contentType) === undefined)
    return readTokenRequest(contentType, bodyBytes(request, body));
  const isForm = mediaType(contentType) !== 'application/json';
  const isRepeated = ([name, value]: [string, unknown]): boolean =>
    Array.isArray(value) && !SEVERAL.has(name);
  if (isForm && Object.entries(body).some(isRepeated))
    throw new RequestBodyException(400, 'parameter_repeated', 'The body names a parameter twice.');
  return parametersOf(body);
}

/** One parameter. @throws TokenRequestException 400 `body_malformed` when it is absent or empty */
export function requireParameter(name: string, parameters: TokenParameters): string {
  const value = parameters(name);
  if (value === undefined)
    throw new TokenRequestException('body_malformed', `The parameter ${name} is missing.`);
  return value;
}

/**
 * A parameter that is a string or, in JSON, a list of strings. Empty strings are left out.
 *
 * @throws TokenRequestException 400 `body_malformed` for any other value
 */
export function listParameter(name: string, { members }: TokenParameters): readonly string[] {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  const texts = value === undefined ? [] : namesIn(value);
  if (texts === undefined)
    throw new TokenRequestException('body_malformed', `The parameter ${name} is not a string.`);
  return texts.filter((text) => text !== '');
}
