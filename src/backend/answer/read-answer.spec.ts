import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { GatewayException } from '../../http/index.js';
import {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
} from '../backend.exceptions.js';
import type { JsonTypes } from '../backend-call.js';
import type { BackendResponse } from '../transport/exchange.js';
import { readAnswer } from './read-answer.js';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Some fail at once, others later. */
const read = async (
  status: number,
  body: string | Buffer,
  headers: BackendResponse['headers'] = JSON_TYPE,
  jsonTypes: JsonTypes = 'declared',
) => readAnswer({ status, headers, body: Buffer.from(body) }, { maxBytes: 10_000, jsonTypes });
const thrown = async (answer: Promise<unknown>): Promise<GatewayException> => {
  try {
    await answer;
  } catch (error) {
    return error as GatewayException;
  }
  throw new Error('it was an answer');
};

describe('readAnswer', () => {
  it.each([200, 201, 203, 299])(
    '%d with JSON is an answer, with its text as it came',
    async (status) => {
      const answer = await read(status, ' {"id": 1.50}\n');
      expect(answer).toMatchObject({
        status,
        text: ' {"id": 1.50}\n',
        contentType: 'application/json',
      });
      expect(answer.body).toEqual({ id: 1.5 });
    },
  );

  it('keeps every digit of the body, and decompresses it', async () => {
    const { body } = await read(200, '{"id":9007199254740993}');
    expect(JSON.stringify(body)).toBe('{"id":9007199254740993}');
    const packed = await read(200, gzipSync('[1]'), { ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(packed.body).toEqual([1]);
  });

  it('takes a missing content type for JSON, and passes one on as it is', async () => {
    for (const headers of [{}, { 'content-type': '' }, { 'content-type': ' ' }])
      expect((await read(200, '[]', headers)).contentType).toBe('application/json; charset=utf-8');
    const type = 'application/vnd.a+json;v=1';
    expect((await read(200, '[]', { 'content-type': type })).contentType).toBe(type);
  });

  it.each([
    ['another type', '{}', { 'content-type': 'text/html' }],
    ['text/json', '{}', { 'content-type': 'text/json' }],
    ['a byte order mark', '\ufeff{}', JSON_TYPE],
    ['two documents', '{"a":1}{"a":2}', JSON_TYPE],
    ['two documents by a line', '{"a":1}\n{"a":2}\n', JSON_TYPE],
    ['nesting of 2000', '['.repeat(2000) + ']'.repeat(2000), JSON_TYPE],
    ['two types', '{}', { 'content-type': ['application/json', 'text/html'] }],
    ['no JSON', '{', JSON_TYPE],
    ['nothing', '', JSON_TYPE],
    ['a string', '"a"', JSON_TYPE],
    ['null', 'null', JSON_TYPE],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE],
    ['two encodings', '{}', { ...JSON_TYPE, 'content-encoding': ['gzip', 'gzip'] }],
    ['deep nesting', '['.repeat(502) + ']'.repeat(502), JSON_TYPE],
  ])('2xx with %s is a bad response', async (_what, body, headers) => {
    const error = await thrown(read(200, body, headers));
    expect(error).toBeInstanceOf(BackendBadResponseException);
    expect(error).not.toBeInstanceOf(BackendFailedException);
  });

  it.each(['text/json', 'text/plain; charset=utf-8', 'text/html', 'x'])(
    'takes JSON that is declared as %s, with a mark or without, where anything is taken',
    async (type) => {
      const headers = { 'content-type': type };
      for (const body of ['{"n":9007199254740993}', '\ufeff{"n":9007199254740993}']) {
        const answer = await read(200, body, headers, 'any');
        expect(answer).toMatchObject({
          text: '{"n":9007199254740993}',
          contentType: 'application/json; charset=utf-8',
        });
        expect((await thrown(read(400, body, headers, 'any'))).details.body).toBe(answer.text);
      }
      for (const body of ['<p>', '', '{} {}', '\ufeff', '1'])
        expect(await thrown(read(200, body, headers, 'any'))).toBeInstanceOf(
          BackendBadResponseException,
        );
      const page = await thrown(read(404, '<p>', headers, 'any'));
      expect(page.details.body).toBeUndefined();
    },
  );

  it('takes nesting up to its limit', async () => {
    expect((await read(200, '['.repeat(501) + ']'.repeat(501))).status).toBe(200);
  });

  it.each([
    [100, BackendBadResponseException],
    [302, BackendBadResponseException],
    [399, BackendBadResponseException],
    [400, BackendRefusedException],
    [499, BackendRefusedException],
    [500, BackendFailedException],
    [599, BackendFailedException],
  ])('status %d: %o', async (status, kind) => {
    const { constructor, details } = await thrown(read(status, '{"secret":"s"}'));
    expect(constructor).toBe(kind);
    expect(details.explanation).toBe(`the backend answered ${status}`);
    expect(details.body).toBe(kind === BackendRefusedException ? '{"secret":"s"}' : undefined);
  });

  it.each([
    ['HTML', '<b>no</b>', { 'content-type': 'text/html' }],
    ['what only looks like JSON', '{', JSON_TYPE],
    ['an unknown encoding', '{}', { ...JSON_TYPE, 'content-encoding': 'zstd' }],
  ])('a refusal with %s gets our body', async (_what, body, headers) => {
    expect((await thrown(read(404, body, headers))).details.body).toBeUndefined();
  });

  it('a refusal keeps the headers that say what to do next, and no other', async () => {
    const { details } = await thrown(
      read(429, '{"a":1}', {
        ...JSON_TYPE,
        'retry-after': '7',
        'www-authenticate': ['Basic', 'Digest'],
        'set-cookie': ['a=b'],
        'x-secret': 's',
      }),
    );
    expect(details.headers).toEqual({ 'retry-after': '7', 'www-authenticate': 'Basic, Digest' });
  });
});
