import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bodyMiddleware, bodyParser, GatewayException } from '../index.js';
import { hasBody } from './request-body.js';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

/** The value, or status and code of the refusal. */
function parse(type: string, body: string | Buffer): unknown {
  try {
    return bodyParser(type)?.(Buffer.from(body));
  } catch (error) {
    if (!(error instanceof GatewayException)) throw error;
    return `${error.details.status} ${error.details.code}`;
  }
}

describe('bodyParser', () => {
  it.each([undefined, '', 'text/plain', 'application/json2', 'application/vnd.api+json'])(
    'leaves %j to others',
    (type) => expect(bodyParser(type)).toBeUndefined(),
  );

  it('makes any value of JSON, and texts of a form', () => {
    expect(parse('Application/JSON ; charset=utf-8', ' {"a":[1,null]} ')).toEqual({ a: [1, null] });
    for (const value of [[], 'a', 1, true, null])
      expect(parse(JSON_TYPE, JSON.stringify(value))).toEqual(value);
    expect(parse(`${FORM};charset=utf-8`, 'a=b+c&d=%C3%A4&e&=f&?g=')).toEqual({
      a: 'b c',
      d: 'ä',
      e: '',
      '': 'f',
      '?g': '',
    });
    expect(parse(FORM, '?a=1')).toEqual({ '?a': '1' });
  });

  it('makes members of their own, whatever they are called', () => {
    const body = '{"__proto__":{"admin":true},"constructor":1}';
    expect(Object.keys(parse(JSON_TYPE, body) as object)).toEqual(['__proto__', 'constructor']);
    const form = parse(FORM, '__proto__=a&toString=b') as object;
    expect(Object.entries(form)).toEqual([
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
    expect(Object.getPrototypeOf(form)).toBe(Object.prototype);
  });

  it.each([
    [JSON_TYPE, ''],
    [JSON_TYPE, '{'],
    [JSON_TYPE, '{}x'],
    [JSON_TYPE, '\ufeff{}'],
    [JSON_TYPE, Buffer.from([0x22, 0xff, 0x22])],
    [FORM, Buffer.from([0x61, 0x3d, 0xff])],
  ])('refuses what is malformed: %s %j', (type, body) => {
    expect(parse(type, body)).toBe('400 body_malformed');
  });

  it.each([
    [JSON_TYPE, '{"a":1,"a":1}'],
    [JSON_TYPE, '[{"b":{"a":1,"\\u0061":2}}]'],
    [FORM, 'a=1&a=2'],
    [FORM, 'a&%61'],
  ])('refuses a name that is there twice: %s %s', (type, body) => {
    expect(parse(type, body)).toBe('400 parameter_repeated');
  });
});

it.each([
  [{}, false],
  [{ 'content-length': '0' }, false],
  [{ 'content-length': '1' }, true],
  [{ 'content-length': '00' }, true],
  [{ 'transfer-encoding': 'chunked' }, true],
  [{ 'transfer-encoding': 'chunked', 'content-length': '0' }, true],
])('a request with %j has a body: %s', (headers, expected) => {
  expect(hasBody({ headers } as IncomingMessage)).toBe(expected);
});

describe('bodyMiddleware', () => {
  const LIMIT = 100;
  let server: Server;
  let seen: { body?: unknown; error?: unknown }[] = [];
  beforeAll(async () => {
    const middleware = bodyMiddleware(LIMIT, ({ url }) => url === '/raw');
    server = createServer((request: IncomingMessage & { body?: unknown }, response) =>
      middleware(request, response, (error) => {
        seen.push({ body: request.body, error });
        response.setHeader('Connection', 'close').end();
      }),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => void (seen = []));
  afterAll(() => void server.close());

  /** What came of a request whose body is sent in these pieces. */
  async function receive(
    headers: Record<string, string>,
    pieces: readonly string[],
    path = '/',
  ): Promise<unknown> {
    const { port } = server.address() as AddressInfo;
    const request = send({ port, path, method: 'POST', headers: { ...headers } });
    request.on('error', () => undefined);
    for (const piece of pieces) request.write(piece);
    request.end();
    await expect.poll(() => seen.length).toBe(1);
    const [{ body, error } = {}] = seen;
    if (error === undefined) return body;
    return (error as GatewayException).details.code;
  }

  it('gives values of JSON and forms, bytes where they are asked for, and nothing else', async () => {
    expect(await receive({ 'content-type': JSON_TYPE }, ['{"a"', ':1}'])).toEqual({ a: 1 });
    seen = [];
    expect(await receive({ 'content-type': FORM }, ['a=1'])).toEqual({ a: '1' });
    seen = [];
    expect(await receive({ 'content-type': JSON_TYPE }, ['{"a"'], '/raw')).toEqual(
      Buffer.from('{"a"'),
    );
    seen = [];
    expect(await receive({ 'content-type': 'text/plain' }, ['x'])).toBeUndefined();
    seen = [];
    expect(await receive({ 'content-type': JSON_TYPE, 'content-length': '0' }, [])).toBeUndefined();
  });

  it.each([
    ['announced', { 'content-length': '101' }, ['x']],
    ['counted', {}, ['x'.repeat(60), 'x'.repeat(60)]],
  ])('refuses a body whose %s length is too much', async (_how, headers, pieces) => {
    expect(await receive({ 'content-type': JSON_TYPE, ...headers }, pieces)).toBe('body_too_large');
  });

  it('takes one of just the limit', async () => {
    const text = `"${'x'.repeat(LIMIT - 2)}"`;
    expect(await receive({ 'content-type': JSON_TYPE }, [text])).toHaveLength(LIMIT - 2);
  });

  it('refuses a content encoding, but not where nobody reads the body', async () => {
    const encoded = { 'content-encoding': 'gzip' };
    expect(await receive({ 'content-type': JSON_TYPE, ...encoded }, ['x'])).toBe(
      'media_type_unsupported',
    );
    seen = [];
    expect(await receive({ 'content-type': 'text/plain', ...encoded }, ['x'])).toBeUndefined();
    seen = [];
    expect(
      await receive({ 'content-type': JSON_TYPE, 'content-encoding': 'identity' }, ['1']),
    ).toBe(1);
  });
});
