import type { IncomingMessage } from 'node:http';
import { isJsonObject } from '../core/json/index.js';
import { bodyParser } from '../http/index.js';
import { TokenRequestException } from './token-request.exception.js';

/**
 * The parameters of a request to a token endpoint, by name; `undefined` for what is absent, empty (RFC 6749
 * section 3.2) or no text.
 */
export interface TokenParameters {
  (name: string): string | undefined;
  /** All of them, as they came: a form holds texts, and lists where several are allowed; JSON anything. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** Parameters that may be there several times (RFC 8707 section 2, RFC 8693 section 2.1). */
const SEVERAL: ReadonlySet<string> = new Set(['resource', 'audience']);

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
  if (parse === undefined)
    throw new TokenRequestException(
      'media_type_unsupported',
      'Send application/json, application/x-www-form-urlencoded, or no body.',
    );
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
 * One parameter of a request whose body was left as it came.
 *
 * @throws TokenRequestException 400 `body_malformed` when it is absent, and as {@link readTokenRequest}
 */
export function requireParameter(
  name: string,
  { headers }: IncomingMessage,
  body: unknown,
): string {
  const bytes = Buffer.isBuffer(body) ? body : undefined;
  const value = readTokenRequest(headers['content-type'], bytes)(name);
  if (value === undefined)
    throw new TokenRequestException('body_malformed', `The parameter ${name} is missing.`);
  return value;
}
