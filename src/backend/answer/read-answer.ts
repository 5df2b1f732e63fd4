import { isDeeperThan, isJsonMediaType } from '../../core/json/index.js';
import {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
} from '../backend.exceptions.js';
import type { BackendResponse } from '../transport/exchange.js';
import { BackendAnswer } from './backend-answer.js';
import { decodeBody } from './decode-body.js';

type HeaderValue = BackendResponse['headers'][string];

const DEFAULT_MEDIA_TYPE = 'application/json; charset=utf-8';
const MAX_NESTING = 500;
/** Headers of a refusal that tell the client what to do next. */
const REFUSAL_HEADERS = ['www-authenticate', 'retry-after'] as const;

/**
 * What a response means: 2xx with a JSON object or array is an answer, 4xx the backend's own
 * refusal, everything else a failure of the backend.
 *
 * @param maxBytes limit of the decompressed body
 * @throws BackendRefusedException for 4xx, BackendFailedException for 5xx, BackendBadResponseException for the rest
 */
export async function readAnswer(
  { status, headers, body }: BackendResponse,
  maxBytes: number,
): Promise<BackendAnswer> {
  if (status >= 500) throw new BackendFailedException(`the backend answered ${status}`);
  if (status < 200 || (status >= 300 && status < 400))
    throw new BackendBadResponseException(`the backend answered ${status}`);
  const contentType = jsonContentType(headers['content-type']);
  if (status < 400) {
    if (contentType === undefined)
      throw new BackendBadResponseException('the answer is not declared as JSON');
    const decoded = decodeBody(body, single(headers['content-encoding']), maxBytes);
    const text = typeof decoded === 'string' ? decoded : await decoded;
    return new BackendAnswer(status, parseBody(text), text, contentType);
  }
  throw new BackendRefusedException(
    status,
    contentType === undefined
      ? undefined
      : await refusalBody(body, single(headers['content-encoding']), maxBytes),
    Object.fromEntries(
      REFUSAL_HEADERS.flatMap((name) => {
        const value = single(headers[name]);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  );
}

function parseBody(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BackendBadResponseException('the answer is not valid JSON');
  }
  if (body === null || typeof body !== 'object')
    throw new BackendBadResponseException('the answer is neither a JSON object nor an array');
  // Each level takes two characters: a short text cannot be deep.
  if (text.length > 2 * MAX_NESTING && isDeeperThan(MAX_NESTING, body))
    throw new BackendBadResponseException(`the answer nests deeper than ${MAX_NESTING} levels`);
  return body;
}

async function refusalBody(
  data: Buffer,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<string | undefined> {
  try {
    const text = await decodeBody(data, contentEncoding, maxBytes);
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/** The content type to pass on; `undefined` when it is not JSON. A missing one is taken for JSON. */
function jsonContentType(value: HeaderValue): string | undefined {
  const contentType = single(value);
  if (contentType === undefined) return DEFAULT_MEDIA_TYPE;
  return isJsonMediaType(contentType) ? contentType : undefined;
}

/** Several lines of one name are one list (RFC 9110 section 5.3). */
const single = (value: HeaderValue): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;
