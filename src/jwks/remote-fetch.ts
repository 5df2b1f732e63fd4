import type { IncomingHttpHeaders } from 'node:http';
import { request, type Dispatcher } from 'undici';
import { isJsonMediaType } from '../core/json/index.js';
import { KeyError } from '../core/keys/index.js';

/** Milliseconds from the call to the last byte; also what a request with an unknown kid waits at most. */
export const FETCH_DEADLINE_MS = 2000;
/** A set of 100 RSA keys takes half of it. */
const MAX_BYTES = 64 * 1024;

/**
 * Fetches a JSON document that may be hostile: one GET, no redirects, no compression, bounded in
 * time and size while it arrives.
 *
 * @throws KeyError in a few words, without the URL and without any of the contents
 */
export async function fetchJson(url: URL, dispatcher: Dispatcher): Promise<string> {
  const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      signal,
      headers: {
        accept: 'application/jwk-set+json, application/json',
        'accept-encoding': 'identity',
        'user-agent': 'signet',
      },
    });
    // Destroying the stream below emits an error that nobody needs.
    body.on('error', () => undefined);
    try {
      assertAcceptable(statusCode, headers);
      return await readAtMost(MAX_BYTES, body);
    } finally {
      body.destroy();
    }
  } catch (error) {
    throw error instanceof KeyError ? error : new KeyError(describe(error, signal.aborted));
  }
}

function assertAcceptable(status: number, headers: IncomingHttpHeaders): void {
  if (status >= 300 && status < 400)
    throw new KeyError(`the answer is a redirect (${status}), which is not followed`);
  if (status !== 200) throw new KeyError(`the answer has status ${status}`);
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  if (typeof type !== 'string' || !isJsonMediaType(type))
    throw new KeyError('the answer is not JSON by its content type');
  if (encoding !== 'identity') throw new KeyError('the answer is compressed, unasked for');
}

async function readAtMost(limit: number, body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new KeyError(`the answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function describe(error: unknown, late: boolean): string {
  if (late) return `no complete answer within ${FETCH_DEADLINE_MS} ms`;
  // Error messages may quote what was received, codes do not.
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return 'cannot be fetched';
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  return /CERT|SIGNATURE|ISSUER/.test(code)
    ? `the server's certificate is not trusted (${code})`
    : `cannot be fetched (${code})`;
}
