import { isDeeperThan, isJsonMediaType, isJsonObject, withoutMark } from '../../core/json/index.js';
import {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
} from '../backend.exceptions.js';
import type { AnswerEncoding, JsonTypes } from '../backend-call.js';
import type { BackendResponse, ResponseHead } from '../transport/exchange.js';
import { BackendAnswer } from './backend-answer.js';
import { decodeBody } from './decode-body.js';

type HeaderValue = BackendResponse['headers'][string];

const DEFAULT_MEDIA_TYPE = 'application/json; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';
const NO_CONTENT = 204;
const MAX_NESTING = 500;
/** Headers of a refusal that tell the client what to do next. */
const REFUSAL_HEADERS = ['www-authenticate', 'retry-after'] as const;

/** How an answer is read. */
export interface Reading {
  /** Largest body in bytes, after decompression. */
  readonly maxBytes: number;
  /** Accepted content types of JSON answers. */
  readonly jsonTypes: JsonTypes;
}

/** An answer that can be sent to a client. */
export interface ClientAnswer extends ResponseHead {
  readonly text: string;
  /** `undefined` for an answer without a body. */
  readonly contentType: string | undefined;
}

/**
 * Reads a response: 2xx with a JSON object or array is an answer, 4xx is a refusal by the backend, and everything else
 * is a failure of the backend. It returns a promise only for a 4xx or a compressed body.
 *
 * @throws BackendRefusedException for 4xx, BackendFailedException for 5xx, BackendBadResponseException for the rest
 */
export function readAnswer(
  response: BackendResponse,
  reading: Reading,
): BackendAnswer | Promise<BackendAnswer> {
  const answer = ({ text, contentType }: AnswerText): BackendAnswer =>
    new BackendAnswer(
      response.status,
      assertObject(parseBody(text)),
      text,
      assertJson(contentType),
    );
  const read = readText(response, reading);
  return read instanceof Promise ? read.then(answer) : answer(read);
}

/**
 * Reads a response as an answer to a client, in the encoding of the route. 204 is an answer, too.
 *
 * @throws as {@link readAnswer}
 */
export function readForClient(
  response: BackendResponse,
  encoding: Exclude<AnswerEncoding, 'no-op'>,
  reading: Reading,
): ClientAnswer | Promise<ClientAnswer> {
  const { status, headers } = response;
  // There is no body to check.
  if (status === NO_CONTENT) return { status, headers, text: '', contentType: undefined };
  const read = readText(
    response,
    encoding === 'string' ? { ...reading, jsonTypes: 'declared' } : reading,
  );
  return read instanceof Promise
    ? read.then((text) => answerForClient(response, text, encoding))
    : answerForClient(response, read, encoding);
}

function answerForClient(
  { status, headers }: ResponseHead,
  { text, contentType }: AnswerText,
  encoding: Exclude<AnswerEncoding, 'no-op'>,
): ClientAnswer {
  if (encoding === 'string') return { status, headers, text, contentType: TEXT };
  const answer = { status, headers, text, contentType: assertJson(contentType) };
  const value = parseBody(text);
  if (encoding === 'json') assertObject(value);
  else if (!isJsonObject(value))
    // The text is wrapped, not the value, so that numbers keep all digits.
    return {
      ...answer,
      text: `{"${Array.isArray(value) ? 'collection' : 'content'}":${text.trim()}}`,
      contentType: DEFAULT_MEDIA_TYPE,
    };
  return answer;
}

/** The text of an answer, and its content type if that is JSON. */
interface AnswerText {
  readonly text: string;
  readonly contentType: string | undefined;
}

/** @throws as {@link readAnswer} */
function readText(
  { status, headers, body }: BackendResponse,
  reading: Reading,
): AnswerText | Promise<AnswerText> {
  if (status >= 500) throw new BackendFailedException(`the backend answered ${status}`);
  if (status < 200 || (status >= 300 && status < 400))
    throw new BackendBadResponseException(`the backend answered ${status}`);
  const contentType = jsonContentType(headers['content-type'], reading.jsonTypes);
  const contentEncoding = single(headers['content-encoding']);
  if (status >= 400) return refusal({ status, headers, body }, contentType, reading);
  const decoded = decodeBody(body, contentEncoding, reading.maxBytes);
  return typeof decoded === 'string'
    ? { text: asRead(decoded, reading), contentType }
    : decoded.then((text) => ({ text: asRead(text, reading), contentType }));
}

/** @throws BackendRefusedException */
async function refusal(
  { status, headers, body }: BackendResponse,
  contentType: string | undefined,
  reading: Reading,
): Promise<never> {
  throw new BackendRefusedException(
    status,
    contentType === undefined
      ? undefined
      : await refusalBody(body, single(headers['content-encoding']), reading),
    Object.fromEntries(
      REFUSAL_HEADERS.flatMap((name) => {
        const value = single(headers[name]);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  );
}

function assertJson(contentType: string | undefined): string {
  if (contentType === undefined)
    throw new BackendBadResponseException('the answer is not declared as JSON');
  return contentType;
}

function parseBody(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BackendBadResponseException('the answer is not valid JSON');
  }
  // Each level takes two characters, so a short text cannot nest too deeply.
  if (text.length > 2 * MAX_NESTING && isDeeperThan(MAX_NESTING, body))
    throw new BackendBadResponseException(`the answer nests deeper than ${MAX_NESTING} levels`);
  return body;
}

function assertObject(value: unknown): object {
  if (value === null || typeof value !== 'object')
    throw new BackendBadResponseException('the answer is neither a JSON object nor an array');
  return value;
}

/** Returns the text of JSON, which may begin with a byte order mark if `jsonTypes` is `any`. */
const asRead = (text: string, { jsonTypes }: Reading): string =>
  jsonTypes === 'any' ? withoutMark(text) : text;

async function refusalBody(
  data: Buffer,
  contentEncoding: string | undefined,
  reading: Reading,
): Promise<string | undefined> {
  try {
    const text = asRead(await decodeBody(data, contentEncoding, reading.maxBytes), reading);
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/** Returns the content type to pass on; `undefined` if it is not JSON. A missing or empty one counts as JSON. */
function jsonContentType(value: HeaderValue, jsonTypes: JsonTypes): string | undefined {
  const contentType = single(value);
  if (contentType === undefined || contentType.trim() === '') return DEFAULT_MEDIA_TYPE;
  if (isJsonMediaType(contentType)) return contentType;
  return jsonTypes === 'any' ? DEFAULT_MEDIA_TYPE : undefined;
}

/** Joins several lines of one name, which are one list (RFC 9110 section 5.3). */
const single = (value: HeaderValue): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;
