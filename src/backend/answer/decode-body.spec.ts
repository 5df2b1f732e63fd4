import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBody } from './decode-body.js';

const TEXT = '{"a":"ä"}';
const BYTES = Buffer.from(TEXT);
const refusal = (explanation: RegExp) =>
  expect.objectContaining({
    details: expect.objectContaining({
      code: 'backend_bad_response',
      explanation: expect.stringMatching(explanation) as string,
    }) as object,
  }) as Error;

describe('decodeBody', () => {
  it.each([undefined, 'identity', 'Identity', ' IDENTITY ', '', ' '])(
    'gives the text of encoding %j at once',
    (encoding) => {
      expect(decodeBody(BYTES, encoding, 1)).toBe(TEXT);
    },
  );

  it.each([
    ['gzip', gzipSync(BYTES)],
    ['x-gzip', gzipSync(BYTES)],
    [' GZIP ', gzipSync(BYTES)],
    ['deflate', deflateSync(BYTES)],
    ['br', brotliCompressSync(BYTES)],
  ])('understands %s', async (encoding, body) => {
    expect(await decodeBody(body, encoding, 100)).toBe(TEXT);
  });

  it.each(['gzip, gzip', 'zstd', 'compress', 'identity, gzip'])(
    'refuses the encoding %j',
    async (encoding) => {
      const decoded = (async () => decodeBody(gzipSync(BYTES), encoding, 100))();
      await expect(decoded).rejects.toEqual(refusal(/unknown or more than one/));
    },
  );

  it.each([
    ['gzip', gzipSync(Buffer.alloc(1_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(1_000_000))],
    ['gzip', BYTES],
    ['deflate', deflateSync(BYTES).subarray(0, -4)],
  ])('refuses %s that is too large, broken or cut', async (encoding, body) => {
    const decoded = decodeBody(body, encoding, 100_000);
    await expect(decoded).rejects.toEqual(refusal(/cannot be decompressed to 100000 bytes/));
  });

  it('refuses what is not UTF-8', async () => {
    const wrong = Buffer.from([0x22, 0xff, 0x22]);
    expect(() => decodeBody(wrong, undefined, 100)).toThrow(refusal(/not UTF-8/));
    await expect(decodeBody(gzipSync(wrong), 'gzip', 100)).rejects.toEqual(refusal(/not UTF-8/));
  });
});
