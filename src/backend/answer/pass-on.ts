import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { NEVER_FORWARDED } from '../../core/headers/index.js';
import { endInBatch, GatewayException } from '../../http/index.js';
import type { BackendOutcome } from '../resilience/backend-bulkhead.js';
import type { ResponseHead, StreamedResponse } from '../transport/exchange.js';
import type { ClientAnswer } from './read-answer.js';

/** Headers that the client gets of every answer that is passed on unchanged, beside `Content-*`. */
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

/** True for headers of the connection to the backend, and for headers that the gateway sets itself. */
const isOurs = (name: string): boolean =>
  name === 'x-request-id' || (NEVER_FORWARDED.has(name) && !name.startsWith('content-'));

/** True for a header of the backend's answer that the client gets. The name is in lower case. */
export type HeaderFilter = (name: string) => boolean;

const NONE: HeaderFilter = () => false;

/**
 * Creates the filter of an answer.
 *
 * @param isUnchanged true: the body is passed on unchanged, so the headers that describe it stay correct
 * @param more names of further headers, or `*` for all
 */
export function headerFilter(isUnchanged: boolean, more: readonly string[] = []): HeaderFilter {
  if (!isUnchanged && more.length === 0) return NONE;
  const listed = new Set(more.map((name) => name.toLowerCase()));
  return (name) =>
    !isOurs(name) &&
    (name.startsWith('content-')
      ? isUnchanged
      : (isUnchanged && PASSED_ON.has(name)) || listed.has(name) || listed.has('*'));
}

/** Copies headers. A header that the route has set is kept; cookies of both are sent. */
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

/** Sends an answer that was read completely. */
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
 * Sends a response while its body arrives.
 *
 * @returns how the call ended: `failed` for a 5xx, `other` if the client has closed the connection
 * @throws GatewayException if the body of the response is incomplete; the client's connection is closed then
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
