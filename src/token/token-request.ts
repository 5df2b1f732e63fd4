import { isUtf8 } from 'node:buffer';
import { hasDuplicateMembers, isJsonObject } from '../common/json.js';
import { TokenRequestRefused } from './token-request.errors.js';

/** What is read of a token request; the backend gets its bytes as they came. */
export interface TokenRequest {
  grantType?: string;
}

/**
 * Checks the body of a token request: empty, JSON, or a form (RFC 6749 section 3.2).
 *
 * @throws TokenRequestRefused `media_type_unsupported` (415), `body_malformed` or
 * `parameter_repeated` (400): two readers must not see two different requests
 */
export function readTokenRequest(
  contentType: string | undefined,
  body: Buffer | undefined,
): TokenRequest {
  if (body === undefined || body.length === 0) return {};
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json' && mediaType !== 'application/x-www-form-urlencoded')
    throw new TokenRequestRefused(
      'media_type_unsupported',
      'Send application/json, application/x-www-form-urlencoded, or no body.',
    );
  if (!isUtf8(body)) throw new TokenRequestRefused('body_malformed', 'The body is not UTF-8.');
  const text = body.toString();
  return mediaType === 'application/json' ? readJson(text) : readForm(text);
}

function readJson(text: string): TokenRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TokenRequestRefused('body_malformed', 'The body is not valid JSON.');
  }
  if (!isJsonObject(value))
    throw new TokenRequestRefused('body_malformed', 'The body is not a JSON object.');
  if (hasDuplicateMembers(text, value))
    throw new TokenRequestRefused('parameter_repeated', 'The body names a member twice.');
  const grantType = Object.hasOwn(value, 'grant_type') ? value.grant_type : undefined;
  return typeof grantType === 'string' ? { grantType } : {};
}

function readForm(text: string): TokenRequest {
  // The constructor would drop a question mark at the start, which in a body belongs to the name.
  const form = new URLSearchParams(`?${text}`);
  if (new Set(form.keys()).size !== form.size)
    throw new TokenRequestRefused('parameter_repeated', 'The body names a parameter twice.');
  return { grantType: form.get('grant_type') ?? undefined };
}
