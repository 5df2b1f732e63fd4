import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { GatewayException } from '../../http/index.js';
import { bodyBytes, readTokenRequest, requestParameters } from './token-request.js';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

/** The grant type, `none`, or status and code of the refusal. */
function read(contentType: string | undefined, body?: string | Buffer): string {
  try {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    return readTokenRequest(contentType, bytes)('grant_type') ?? 'none';
  } catch (error) {
    if (!(error instanceof GatewayException)) throw error;
    return `${error.details.status} ${error.details.code}`;
  }
}

describe('bodyBytes', () => {
  const BYTES = Buffer.from('a=1');
  const bytes = (body: unknown, headers: object, rawBody?: unknown): unknown =>
    bodyBytes({ headers, rawBody } as unknown as IncomingMessage, body);

  it('are those of the body, or of what a parser left', () => {
    expect(bytes(BYTES, { 'content-length': '3' })).toBe(BYTES);
    expect(bytes({ a: '1' }, { 'content-length': '3' }, BYTES)).toBe(BYTES);
    expect(bytes({ a: '1' }, { 'transfer-encoding': 'chunked' }, BYTES)).toBe(BYTES);
  });

  it.each([{}, { 'content-length': '0' }])('are none with %j', (headers) => {
    for (const body of [undefined, {}]) expect(bytes(body, headers)).toBeUndefined();
  });

  it.each([{ 'content-length': '3' }, { 'transfer-encoding': 'chunked' }])(
    'are missed with %j: a body that is there is not none',
    (headers) => {
      for (const body of [undefined, { a: '1' }, 'a=1', null])
        expect(() => bytes(body, headers)).toThrow(
          expect.objectContaining({ code: 'media_type_unsupported', status: 415 }) as Error,
        );
    },
  );
});

describe('readTokenRequest', () => {
  it('accepts an empty body, whatever its type', () => {
    for (const type of [undefined, JSON_TYPE, FORM, 'text/plain', '']) {
      expect(read(type)).toBe('none');
      expect(read(type, '')).toBe('none');
    }
  });

  it.each([
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/json2',
    'application/jsonp; a=application/json',
    'multipart/form-data; boundary=x',
    'application/vnd.api+json',
    'application/json, text/plain',
  ])('refuses the type %j', (type) => {
    expect(read(type, '{}')).toBe('415 media_type_unsupported');
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;x=y'])(
    'accepts the type %s',
    (type) => {
      expect(read(type, '{"grant_type":"password"}')).toBe('password');
    },
  );

  it.each([
    ['no JSON', '{'],
    ['nothing but blanks', '  '],
    ['a list', '[]'],
    ['a string', '"a"'],
    ['null', 'null'],
    ['a tail', '{}x'],
    ['a byte order mark', '\ufeff{}'],
    ['a number no double holds', '9007199254740993'],
  ])('refuses JSON that is %s', (_what, body) => {
    expect(read(JSON_TYPE, body)).toBe('400 body_malformed');
  });

  it.each([JSON_TYPE, FORM])('refuses %s that is not UTF-8', (type) => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(read(type, body)).toBe('400 body_malformed');
  });

  it.each([
    '{"grant_type":"a","grant_type":"refresh_token"}',
    '{"grant_type":"a","grant\\u005ftype":"refresh_token"}',
    '{"user":{"a":1,"a":2}}',
    '{"a":1,"a":1}',
  ])('refuses a member that is there twice: %s', (body) => {
    expect(read(JSON_TYPE, body)).toBe('400 parameter_repeated');
  });

  it('reads grant_type of JSON where it is a string of its own', () => {
    expect(read(JSON_TYPE, '{"grant_type":"refresh_token"}')).toBe('refresh_token');
    expect(read(JSON_TYPE, '{"a":{"grant_type":"refresh_token"}}')).toBe('none');
    expect(read(JSON_TYPE, '{"__proto__":{"grant_type":"refresh_token"}}')).toBe('none');
    expect(read(JSON_TYPE, '{"grant_type":["refresh_token"]}')).toBe('none');
  });

  it('reads grant_type of a form', () => {
    expect(read(FORM, 'grant_type=password&username=a+b&x=%C3%A4')).toBe('password');
    expect(read(FORM, 'grant%5Ftype=refresh_token')).toBe('refresh_token');
    expect(read(FORM, 'username=a')).toBe('none');
    // In a body a question mark is part of the name; every other reader takes it so.
    expect(read(FORM, '?grant_type=refresh_token')).toBe('none');
  });

  it.each(['grant_type=a&grant_type=b', 'grant_type=a&grant%5ftype=a', 'a=1&b=2&a=1', 'a&a'])(
    'refuses a parameter that is there twice: %s',
    (body) => {
      expect(read(FORM, body)).toBe('400 parameter_repeated');
    },
  );

  it('survives hostile nesting', () => {
    const depth = 8000;
    const body = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(read(JSON_TYPE, body)).toBe('none');
  });
});

describe('requestParameters of an application with a body parser of its own', () => {
  const parameter = (type: string, body: unknown, name = 'username', rawBody?: Buffer): string => {
    const headers = { 'content-type': type, 'content-length': '9' };
    try {
      const request = { headers, rawBody } as unknown as IncomingMessage;
      return requestParameters(request, body)(name) ?? 'none';
    } catch (error) {
      const { status, code } = (error as GatewayException).details;
      return `${status} ${code}`;
    }
  };

  it.each<[string, unknown, string]>([
    [JSON_TYPE, { username: 'ada' }, 'ada'],
    [FORM, { username: 'ada' }, 'ada'],
    [FORM, Object.assign(Object.create(null), { username: 'ada' }), 'ada'],
    [JSON_TYPE, { username: ['ada'] }, 'none'],
    [FORM, { username: ['ada', 'eve'] }, '400 parameter_repeated'],
    [FORM, { username: 'ada', resource: ['https://a', 'https://b'] }, 'ada'],
    [FORM, { username: { is: 'ada' } }, 'none'],
    [JSON_TYPE, Object.create({ username: 'ada' }), 'none'],
    // What its body parser left alone.
    ['text/plain', { username: 'ada' }, '415 media_type_unsupported'],
    [JSON_TYPE, [{ username: 'ada' }], '415 media_type_unsupported'],
    [JSON_TYPE, undefined, '415 media_type_unsupported'],
  ])('%s as %j: %s', (type, body, expected) => {
    expect(parameter(type, body)).toBe(expected);
  });

  it('goes by the bytes where they are kept', () => {
    const twice = Buffer.from('{"username":"a","username":"b"}');
    expect(parameter(JSON_TYPE, { username: 'b' }, 'username', twice)).toBe(
      '400 parameter_repeated',
    );
  });
});
