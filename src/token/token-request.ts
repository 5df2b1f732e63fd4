import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { hasDuplicateMembers, isJsonObject } from '../core/json/index.js';
import { TokenRequestException } from './token-request.exception.js';

/** The parameters of a request to a token endpoint, by name; `undefined` for what is absent or no text. */
export type TokenParameters = (name: string) => string | undefined;

/**
 * Reads the body of a request to a token endpoint: empty, JSON, or a form (RFC 6749 section 3.2).
 *
 * @throws TokenRequestException `media_type_unsupported` (415), `body_malformed` or
 * `parameter_repeated` (400): two readers must not see two different requests
 */
export function readTokenRequest(
  contentType: string | undefined,
  body: Buffer | undefined,
): TokenParameters {
  if (body === undefined || body.length === 0) return () => undefined;
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json' && mediaType !== 'application/x-www-form-urlencoded')
    throw new TokenRequestException(
      'media_type_unsupported',
      'Send application/json, application/x-www-form-urlencoded, or no body.',
    );
  if (!isUtf8(body)) throw new TokenRequestException('body_malformed', 'The body is not UTF-8.');
  const text = body.toString();
  return mediaType === 'application/json' ? readJson(text) : readForm(text);
}

function readJson(text: string): TokenParameters {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TokenRequestException('body_malformed', 'The body is not valid JSON.');
  }
  if (!isJsonObject(value))
    throw new TokenRequestException('body_malformed', 'The body is not a JSON object.');
  if (hasDuplicateMembers(text, value))
    throw new TokenRequestException('parameter_repeated', 'The body names a member twice.');
  const members = value;
  return (name) => {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    return typeof member === 'string' ? member : undefined;
  };
}

function readForm(text: string): TokenParameters {
  // The constructor would drop a question mark at the start, which in a body belongs to the name.
  const form = new URLSearchParams(`?${text}`);
  if (new Set(form.keys()).size !== form.size)
    throw new TokenRequestException('parameter_repeated', 'The body names a parameter twice.');
  return (name) => form.get(name) ?? undefined;
}

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
  if (value === undefined || value === '')
    throw new TokenRequestException('body_malformed', `The parameter ${name} is missing.`);
  return value;
}
