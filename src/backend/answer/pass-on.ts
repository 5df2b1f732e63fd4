import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { NEVER_FORWARDED } from '../../core/headers/index.js';
import { endInBatch, GatewayException } from '../../http/index.js';
import type { BackendOutcome } from '../resilience/backend-bulkhead.js';
import type { ResponseHead, StreamedResponse } from '../transport/exchange.js';
import type { ClientAnswer } from './read-answer.js';

/** What reaches the client of any answer that is passed on as it is, beside `Content-*`. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'set-cookie',
  'vary',
  'www-authenticate',
]);

/** Headers of the connection to the backend, or that the gateway writes itself. */
const isOurs = (name: string): boolean =>
  name === 'x-request-id' || (NEVER_FORWARDED.has(name) && !name.startsWith('content-'));

/** Which headers of the backend's answer reach the client; names in lower case. */
export type HeaderFilter = (name: string) => boolean;

const NONE: HeaderFilter = () => false;

/**
 * @param asItIs the body is passed on as it is, so what is said about it stays true
 * @param more further names, or `*`
 */
export function headerFilter(asItIs: boolean, more: readonly string[] = []): HeaderFilter {
  if (!asItIs && more.length === 0) return NONE;
  const listed = new Set(more.map((name) => name.toLowerCase()));
  return (name) =>
    !isOurs(name) &&
    (name.startsWith('content-')
      ? asItIs
      : (asItIs && PASSED_ON.has(name)) || listed.has(name) || listed.has('*'));
}

/** Copies headers. What the route has set itself stays; cookies of both are sent. */
function copyHeaders(
  headers: ResponseHead['headers'],
  to: ServerResponse,
  isPassedOn: HeaderFilter,
): void {
  const options = String(headers.connection ?? '').toLowerCase();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !isPassedOn(name) || options.includes(name)) continue;
    if (name === 'set-cookie') to.appendHeader(name, value);
    else if (!to.hasHeader(name)) to.setHeader(name, value);
  }
}

/** Sends an answer that was read. */
export function sendAnswer(
  { status, text, contentType, headers }: ClientAnswer,
  to: ServerResponse,
  isPassedOn: HeaderFilter,
): void {
  if (isPassedOn !== NONE) copyHeaders(headers, to, isPassedOn);
  to.statusCode = status;
  if (contentType !== undefined) {
    to.setHeader('Content-Type', contentType);
    to.setHeader('Content-Length', Buffer.byteLength(text));
  }
  endInBatch(to, text);
}

/**
 * Sends a response as it comes.
 *
 * @returns how the call ended: `failed` for a 5xx, `other` where the client was gone before
 * @throws GatewayException where the body of the response broke off; the client's connection is closed then
 */
export async function sendStream(
  response: StreamedResponse,
  to: ServerResponse,
  isPassedOn: HeaderFilter,
): Promise<BackendOutcome> {
  const { status, headers, body } = response;
  if (body.errored !== null) throw body.errored;
  copyHeaders(headers, to, isPassedOn);
  to.writeHead(status);
  try {
    await pipeline(body, to);
  } catch (error) {
    if (error instanceof GatewayException) throw error;
    return 'other';
  }
  return status >= 500 ? 'failed' : 'answered';
}
