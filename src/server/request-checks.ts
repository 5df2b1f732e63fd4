import type { IncomingMessage } from 'node:http';
import type { GatewayError } from '../http/index.js';

const refusal = (status: number, code: string, description: string): GatewayError => ({
  status,
  error: 'invalid_request',
  code,
  description,
  // The end of such a request is uncertain.
  headers: { Connection: 'close' },
});
const HOST = refusal(400, 'request_malformed', 'The request has to have one Host header.');
const AUTHORITY = refusal(400, 'request_malformed', 'The request names no valid host.');
const VERSION = refusal(505, 'version_unsupported', 'Use HTTP/1.1.');
const CODING = refusal(
  501,
  'transfer_coding_unsupported',
  'Send the body without a transfer coding other than chunked.',
);
export const EXPECTATION = refusal(
  417,
  'expectation_failed',
  'The only expectation that is met is 100-continue.',
);

const ONE = 0x31;

/**
 * A host without user information (RFC 3986 section 3.2), since backends get it. It may be empty (RFC 9112 section
 * 3.2).
 */
const VALID_HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d*)?$/i;

/**
 * Checks the head of a request for errors that Node does not report: none or two `Host` headers, in which two readers
 * see different hosts, an invalid host (RFC 9112 section 3.2), a transfer coding that is not decoded (section 6.1), and
 * another version of HTTP.
 *
 * @param request a request with a target in origin form, so that its Host header is the one that counts
 * @returns the error; `undefined` for a valid request
 */
export function requestProblem(request: IncomingMessage): GatewayError | undefined {
  const { rawHeaders, headers, httpVersion } = request;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (httpVersion.charCodeAt(0) !== ONE) return VERSION;
  if (hosts !== 1 && (hosts > 1 || httpVersion !== '1.0')) return HOST;
  if (headers.host !== undefined && !VALID_HOST.test(headers.host)) return AUTHORITY;
  const coding = headers['transfer-encoding'];
  return coding === undefined || coding.toLowerCase() === 'chunked' ? undefined : CODING;
}
