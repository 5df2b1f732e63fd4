import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { isJsonMediaType } from '../../core/json/index.js';
import { KeyError, type KeyUrlOptions } from '../../core/keys/index.js';

const DEFAULT_DEADLINE_MS = 2000;

/** Returns the deadline of a fetch in milliseconds, to the last byte. A request with an unknown kid waits no longer. */
export const fetchDeadline = ({ timeoutMs = DEFAULT_DEADLINE_MS }: KeyUrlOptions): number =>
  timeoutMs;
/** Largest document in bytes. 200 RSA keys of 4096 bits fit into it, each with a chain of two certificates. */
const MAX_BYTES = 1024 * 1024;
/**
 * Content types with which file stores send JSON (S3: `binary/octet-stream`). The contents are parsed strictly in any
 * case; an HTML page is recognized by its type.
 */
const FILE_TYPE = /^(?:text\/(?:plain|json)|(?:application|binary)\/octet-stream)\s*(?:;|$)/i;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const unzip = promisify(gunzip);

/**
 * Fetches a JSON document that may be hostile: one GET, bounded in time and size while it arrives. One
 * redirect within the same origin is followed, an answer in gzip is unpacked within the same bound.
 *
 * @throws KeyError with a short message, without the URL and without any of the contents
 */
export async function fetchJson(
  url: URL,
  dispatcher: Dispatcher,
  deadlineMs: number,
): Promise<string> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const answer = await get(url, dispatcher, signal);
    if (typeof answer === 'string') return answer;
    const again = await get(answer, dispatcher, signal);
    if (typeof again === 'string') return again;
    throw new KeyError('the answer is a second redirect, which is not followed');
  } catch (error) {
    throw error instanceof KeyError
      ? error
      : new KeyError(describeFetchError(error, signal.aborted ? deadlineMs : undefined));
  }
}

/** Returns the document, or the target of a redirect. */
async function get(url: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<string | URL> {
  const { statusCode, headers, body } = await dispatcher.request({
    method: 'GET',
    origin: url.origin,
    path: url.pathname + url.search,
    signal,
    headers: {
      accept: 'application/jwk-set+json, application/json',
      'accept-encoding': 'identity',
      'user-agent': 'signet',
    },
  });
  // Destroying the stream below emits an error, which is ignored.
  body.on('error', () => undefined);
  try {
    if (REDIRECTS.has(statusCode)) return redirectTarget(url, statusCode, headers.location);
    const isZipped = assertAcceptable(statusCode, headers);
    const bytes = await readAtMost(MAX_BYTES, body);
    // Without a byte order mark, which may be ignored (RFC 8259 section 8.1).
    return new TextDecoder().decode(isZipped ? await unzipAtMost(MAX_BYTES, bytes) : bytes);
  } finally {
    body.destroy();
  }
}

function redirectTarget(url: URL, status: number, location: unknown): URL {
  const target = typeof location === 'string' ? URL.parse(location, url.href) : null;
  if (target?.origin !== url.origin)
    throw new KeyError(
      `the answer is a redirect (${status}) to another origin, which is not followed`,
    );
  return target;
}

/** @returns true for an answer in gzip */
function assertAcceptable(status: number, headers: IncomingHttpHeaders): boolean {
  if (status !== 200) throw new KeyError(`the answer has status ${status}`);
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  if (type !== undefined && !isDocumentType(type))
    throw new KeyError('the answer is not JSON by its content type');
  if (encoding !== 'identity' && !/^(?:x-)?gzip$/i.test(encoding))
    throw new KeyError('the answer is compressed, unasked for, and not with gzip');
  return encoding !== 'identity';
}

const isDocumentType = (type: string): boolean => isJsonMediaType(type) || FILE_TYPE.test(type);

async function unzipAtMost(limit: number, bytes: Buffer): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: limit });
  } catch {
    throw new KeyError(`the answer cannot be unpacked to ${limit} bytes or less`);
  }
}

/** Reads a body of at most `limit` bytes. @throws KeyError for a larger one */
export async function readAtMost(limit: number, body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new KeyError(`the answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Returns a short reason why there is no answer.
 *
 * @param deadlineMs the deadline that has passed; `undefined` where it has not
 */
export function describeFetchError(error: unknown, deadlineMs: number | undefined): string {
  if (deadlineMs !== undefined) return `no complete answer within ${deadlineMs} ms`;
  // Error messages may quote what was received, codes do not.
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return 'cannot be fetched';
  // undici's message for a proxy that opens no tunnel, or asks for credentials.
  const [, refusal] = /^Proxy \D*\((\d{3})\)/.exec(message) ?? [];
  if (refusal !== undefined) return `the proxy refused with status ${refusal}`;
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  return /CERT|SIGNATURE|ISSUER/.test(code)
    ? `the server's certificate is not trusted (${code})`
    : `cannot be fetched (${code})`;
}
