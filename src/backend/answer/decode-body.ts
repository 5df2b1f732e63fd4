import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { BackendBadResponseException } from '../backend.exceptions.js';

const DECODERS = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/**
 * Returns the text of an answer. Calls ask for `identity`, but a compressed answer is accepted if it has one content
 * encoding and no more than `maxBytes` after decompression.
 *
 * @throws BackendBadResponseException
 */
export function decodeBody(
  body: Buffer,
  contentEncoding: string | undefined,
  maxBytes: number,
): string | Promise<string> {
  // Content codings are case-insensitive (RFC 9110 section 8.4.1). An empty header names none.
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  return encoding === '' || encoding === 'identity'
    ? toText(body)
    : decompress(body, encoding, maxBytes);
}

async function decompress(body: Buffer, encoding: string, maxBytes: number): Promise<string> {
  const decode = DECODERS.get(encoding);
  if (decode === undefined)
    throw new BackendBadResponseException(
      'the answer has an unknown or more than one content encoding',
    );
  let decoded: Buffer;
  try {
    decoded = await decode(body, { maxOutputLength: maxBytes });
  } catch {
    throw new BackendBadResponseException(
      `the answer cannot be decompressed to ${maxBytes} bytes or less`,
    );
  }
  return toText(decoded);
}

function toText(body: Buffer): string {
  if (!isUtf8(body)) throw new BackendBadResponseException('the answer is not UTF-8');
  return body.toString();
}
