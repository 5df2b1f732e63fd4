import type { IncomingMessage } from 'node:http';
import { GatewayException } from './gateway.exception.js';

/** 413: the rest of the body is not read, and the connection closed. */
class BodyTooLargeException extends GatewayException {
  constructor(limit: number) {
    super({
      status: 413,
      error: 'invalid_request',
      code: 'body_too_large',
      description: `The body is larger than ${limit} bytes.`,
    });
  }
}

/** True when a body follows the head of a request (RFC 9112 section 6). */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/**
 * Reads a body, but not a byte past `limit`: at the announced or the counted length that is too
 * much it fails at once, where the usual parsers first read everything there is.
 *
 * @param limit bytes
 * @throws GatewayException 413 `body_too_large`; the stream's own error when the client is gone
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > limit) {
      reject(new BodyTooLargeException(limit));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      request.off('data', onData).pause();
      reject(new BodyTooLargeException(limit));
    };
    request
      .on('data', onData)
      .once('end', () => resolve(Buffer.concat(chunks)))
      .once('error', reject);
  });
}
