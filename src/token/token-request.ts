import type { IncomingMessage } from 'node:http';
import { namesIn } from '../core/claims/index.js';
import { isJsonObject } from '../core/json/index.js';
import { bodyParser } from '../http/index.js';
import { TokenRequestException } from './token-request.exception.js';

/** The parameters of a request to a token endpoint, by name; `undefined` for what is absent or no text. */
export interface TokenParameters {
  (name: string): string | undefined;
  /** All of them; in JSON they may have any value. */
  readonly members: Readonly<Record<string, unknown>>;
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
  const parse = bodyParser(contentType);
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

function parametersOf(members: Readonly<Record<string, unknown>>): TokenParameters {
  const text = (name: string): string | undefined => {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    return typeof member === 'string' ? member : undefined;
  };
  return Object.assign(text, { members });
}

/**
 * The parameters of a request whose body was left as it came.
 *
 * @throws as {@link readTokenRequest}
 */
export const requestParameters = ({ headers }: IncomingMessage, body: unknown): TokenParameters =>
  readTokenRequest(headers['content-type'], Buffer.isBuffer(body) ? body : undefined);

/** One parameter. @throws TokenRequestException 400 `body_malformed` when it is absent or empty */
export function requireParameter(name: string, parameters: TokenParameters): string {
  const value = parameters(name);
  if (value === undefined || value === '')
    throw new TokenRequestException('body_malformed', `The parameter ${name} is missing.`);
  return value;
}

/**
 * A parameter that is one text or, in JSON, a list of them; an empty one is none.
 *
 * @throws TokenRequestException 400 `body_malformed` for any other value
 */
export function listParameter(name: string, { members }: TokenParameters): readonly string[] {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  const texts = value === undefined ? [] : namesIn(value);
  if (texts === undefined)
    throw new TokenRequestException('body_malformed', `The parameter ${name} is not a text.`);
  return texts.filter((text) => text !== '');
}
