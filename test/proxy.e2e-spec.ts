// BackendClient.proxy: what arrives at the backend, and what comes back, byte for byte.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { HttpService } from '@nestjs/axios';
import { All, Controller, Header, Module, Param, Query, Req, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BackendClient,
  BackendModule,
  type AnswerEncoding,
  type BackendModuleOptions,
} from '../src/backend/index.js';
import { bodyMiddleware, ErrorFilter, requestContextMiddleware } from '../src/http/index.js';
import {
  OK,
  send,
  startRecordingBackend,
  type Received,
  type RecordingBackend,
} from './helpers/backends/recording-backend.js';

let backend: RecordingBackend;
beforeAll(async () => {
  backend = await startRecordingBackend();
});
beforeEach(() => {
  backend.answers(OK);
  backend.seen.length = 0;
});

@Controller()
class ProxyController {
  constructor(private readonly client: BackendClient) {}

  @All('fixed')
  @Header('Cache-Control', 'no-store')
  fixed(@Req() from: IncomingMessage, @Res() to: ServerResponse): Promise<void> {
    to.setHeader('Set-Cookie', 'own=1');
    return this.client.proxy({ path: '/a', from, to, encoding: 'no-op' });
  }

  @All(':encoding')
  proxy(
    @Req() from: IncomingMessage,
    @Res() to: ServerResponse,
    @Param('encoding') encoding: AnswerEncoding,
    @Query('headers') headers?: string,
  ): Promise<void> {
    const responseHeaders = headers?.split(',');
    return this.client.proxy({ path: '/a', from, to, encoding, responseHeaders });
  }
}

type Parsing = 'nothing' | 'Nest, rawBody: true' | 'Nest' | 'the gateway';

let app: NestExpressApplication | undefined;
async function start(
  options: Partial<BackendModuleOptions> = {},
  parsing: Parsing = 'nothing',
): Promise<string> {
  await app?.close();
  @Module({
    imports: [
      BackendModule.forRoot({
        host: backend.url,
        logFailures: false,
        timeoutMs: 20_000,
        inputHeaders: ['If-None-Match', 'X-Early', 'Accept'],
        ...options,
      }),
    ],
    controllers: [ProxyController],
  })
  class AppModule {}
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = testing.createNestApplication<NestExpressApplication>({
    rawBody: parsing === 'Nest, rawBody: true',
    bodyParser: parsing.startsWith('Nest'),
  });
  app.use(requestContextMiddleware);
  if (parsing === 'the gateway') app.use(bodyMiddleware(2_000_000, () => false));
  app.useGlobalFilters(new ErrorFilter({ explain: true }));
  await app.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}
afterAll(() => app?.close());
const client = (): BackendClient => (app as NestExpressApplication).get(BackendClient);

const JSON_TEXT = '{ "n": 9007199254740993, "e": 1.0, "f": 1E2, "ä": "\\ud800" }';
const JSON_TYPE = 'application/json';
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const MEGABYTE = Buffer.alloc(1024 * 1024, ALL_BYTES);
const MULTIPART = Buffer.concat([
  Buffer.from(
    '--x\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n',
  ),
  ALL_BYTES,
  Buffer.from('\r\n--x--\r\n'),
]);

interface Kind {
  name: string;
  type?: string;
  encoding?: string;
  body?: Buffer;
  chunked?: boolean;
}
const KINDS: Kind[] = [
  { name: 'none' },
  { name: '0 bytes', type: JSON_TYPE, body: Buffer.alloc(0) },
  { name: '0 bytes in chunks', type: 'text/plain', body: Buffer.alloc(0), chunked: true },
  { name: 'JSON', type: JSON_TYPE, body: Buffer.from(JSON_TEXT) },
  {
    name: 'JSON in chunks',
    type: `${JSON_TYPE};charset=UTF-8`,
    body: Buffer.from(JSON_TEXT),
    chunked: true,
  },
  { name: 'a form', type: 'application/x-www-form-urlencoded', body: Buffer.from('a=b+c&d=%41&=') },
  { name: 'multipart with a file', type: 'multipart/form-data; boundary=x', body: MULTIPART },
  { name: 'text', type: 'text/plain; charset=latin1', body: Buffer.from('\xe4', 'latin1') },
  { name: 'bytes of no type', body: ALL_BYTES },
  { name: '1 MB', type: 'application/octet-stream', body: MEGABYTE },
  { name: '1 MB in chunks', type: 'image/png', body: MEGABYTE, chunked: true },
  { name: 'gzip', type: 'application/x-ndjson', encoding: 'gzip', body: gzipSync(JSON_TEXT) },
  { name: 'JSON in gzip', type: JSON_TYPE, encoding: 'gzip', body: gzipSync(JSON_TEXT) },
];

const headersOf = ({ type, encoding, body, chunked }: Kind): Record<string, string> => ({
  ...(type === undefined ? {} : { 'content-type': type }),
  ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  ...(body === undefined
    ? {}
    : chunked === true
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': String(body.length) }),
});

describe('the body of a request arrives', () => {
  const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const ENCODINGS = ['json', 'safejson', 'string', 'no-op'];

  it.each<[Parsing, string[]]>([
    ['nothing', []],
    ['Nest, rawBody: true', ['JSON in gzip']],
    // What its clients are told.
    ['the gateway', []],
  ])('where %s parses bodies', async (parsing, inflated) => {
    const url = await start({}, parsing);
    for (const method of METHODS)
      for (const encoding of parsing === 'nothing' ? ENCODINGS : ['json', 'no-op'])
        for (const kind of KINDS) {
          if (parsing === 'the gateway' && kind.name === 'JSON in gzip') continue;
          backend.seen.length = 0;
          const { name, type, body = Buffer.alloc(0) } = kind;
          const label = `${method} ${name} ${encoding}`;
          const { status } = await send(`${url}/${encoding}`, {
            method,
            headers: headersOf(kind),
            body: kind.body,
          });
          const [arrived] = backend.seen;
          const isInflated = inflated.includes(name);
          const expected = isInflated ? gunzipSync(body) : body;
          expect([label, status, arrived?.method, arrived?.url, backend.seen.length]).toEqual([
            label,
            200,
            method,
            '/a',
            1,
          ]);
          expect([label, arrived?.body.equals(expected)]).toEqual([label, true]);
          expect([
            label,
            arrived?.headers['content-type'],
            arrived?.headers['content-encoding'],
          ]).toEqual([label, type, isInflated ? undefined : kind.encoding]);
          // One way to tell where it ends.
          expect([label, arrived?.headers['content-length'] ?? String(expected.length)]).toEqual([
            label,
            String(expected.length),
          ]);
        }
  });

  it('or is refused, where a parser has left nothing of it', async () => {
    const url = await start({}, 'Nest');
    const json = {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      body: Buffer.from('{}'),
    };
    const answer = await send(`${url}/no-op`, json);
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      415,
      {
        code: 'media_type_unsupported',
        error_description: expect.stringContaining('rawBody: true'),
      },
    ]);
    expect(backend.seen).toEqual([]);
    // What it does not parse is there.
    const text = { ...json, headers: { 'content-type': 'text/plain' } };
    expect((await send(`${url}/no-op`, text)).status).toBe(200);
  });

  it.each([
    ['by its length', { 'content-length': '1001' }, 1001],
    ['in chunks', { 'transfer-encoding': 'chunked' }, 2000],
  ])('unless it is too large %s', async (_how, headers, length) => {
    const url = await start({ maxRequestBytes: 1000 });
    const answer = await send(`${url}/no-op`, {
      method: 'POST',
      headers,
      body: Buffer.alloc(length),
    });
    expect([answer.status, answer.headers.connection]).toEqual([413, 'close']);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'body_too_large' });
    expect(backend.seen).toEqual([]);
    const right = {
      method: 'POST',
      headers: { 'content-length': '1000' },
      body: Buffer.alloc(1000),
    };
    expect((await send(`${url}/no-op`, right)).status).toBe(200);
  });

  it('not with HEAD', async () => {
    const url = await start();
    await send(`${url}/no-op`, { method: 'HEAD' });
    expect(backend.seen.map(({ method }) => method)).toEqual(['HEAD']);
  });
});

type Answer = [status: number, headers: Record<string, string | string[]>, body?: Buffer | string];
const answer = (...[status, headers, body]: Answer): void =>
  backend.answers((response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.statusCode = status;
    response.end(body);
  });
const BIG = `{"n":9007199254740993,"e":1.0,"f":1E2}`;
const json = (body: string | Buffer, status = 200, headers = {}): Answer => [
  status,
  { 'Content-Type': 'application/json', ...headers },
  body,
];
/** `undefined` for those that must not be there. */
const expectHeaders = ({ headers }: Received, expected: Record<string, unknown>): void =>
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, headers[name]]))).toEqual(
    expected,
  );
/** The body; the code of an error of ours. */
function contentOf({ body }: Received): Buffer {
  const [, code] = /"code":"(backend_\w+)"/.exec(body.toString()) ?? [];
  return code === undefined ? body : Buffer.from(code);
}
const COOKIES = ['a=1; HttpOnly', 'b=2'];

/** Encoding, what the backend answers, and what comes back: status, some headers, the body or an error code. */
type Row = [AnswerEncoding, string, Answer, number, Record<string, unknown>, Buffer | string];
const JSON_UTF8 = { 'content-type': 'application/json; charset=utf-8' };
const TEXT_UTF8 = { 'content-type': 'text/plain; charset=utf-8' };
const NO_BODY = { 'content-type': undefined, 'content-length': undefined, 'x-total': undefined };
const bad = 'backend_bad_response';
const ROWS: Row[] = [
  ['json', 'an object', json(BIG), 200, { 'content-type': 'application/json' }, BIG],
  ['json', '201', json(BIG, 201), 201, {}, BIG],
  ['json', 'a list', json('[9007199254740993]'), 200, {}, '[9007199254740993]'],
  ['json', 'a number', json('1'), 502, {}, bad],
  ['json', 'nothing', json(''), 502, {}, bad],
  ['json', 'two documents', json('{"a":1}{"a":2}'), 502, {}, bad],
  ['json', 'two documents, by a line', json('{"a":1}\n{"a":2}\n'), 502, {}, bad],
  ['json', 'text', [200, { 'Content-Type': 'text/plain' }, 'x'], 502, {}, bad],
  ['json', 'nesting of 2000', json('['.repeat(2000) + ']'.repeat(2000)), 502, {}, bad],
  ['json', 'an empty type', [200, { 'Content-Type': '' }, BIG], 200, JSON_UTF8, BIG],
  ['json', 'no type', [200, {}, BIG], 200, JSON_UTF8, BIG],
  ['json', '204', [204, { 'X-Total': '7' }], 204, NO_BODY, ''],
  ['safejson', '204', [204, {}], 204, NO_BODY, ''],
  ['string', '204', [204, {}], 204, NO_BODY, ''],
  ['json', '302', [302, { Location: '/b' }], 502, { location: undefined }, bad],
  ['json', '500', json('{}', 500), 502, {}, bad],
  ['json', 'its own refusal', json('{"why":1}', 409), 409, {}, '{"why":1}'],
  [
    'json',
    'a refusal in HTML',
    [404, { 'Content-Type': 'text/html' }, '<p>'],
    404,
    {},
    'backend_refused',
  ],
  [
    'json',
    'gzip',
    json(gzipSync(BIG), 200, { 'Content-Encoding': 'gzip' }),
    200,
    { 'content-encoding': undefined },
    BIG,
  ],
  [
    'json',
    'cookies and more',
    json(BIG, 200, { 'Set-Cookie': COOKIES, ETag: '"e"', 'X-Total': '7' }),
    200,
    { 'set-cookie': undefined, etag: undefined, 'x-total': undefined },
    BIG,
  ],
  ['safejson', 'an object', json(BIG), 200, {}, BIG],
  ['safejson', 'a list', json(` [${BIG}]\n`), 200, JSON_UTF8, `{"collection":[${BIG}]}`],
  [
    'safejson',
    'a number',
    json('9007199254740993'),
    200,
    JSON_UTF8,
    '{"content":9007199254740993}',
  ],
  ['safejson', 'null', json('null'), 200, JSON_UTF8, '{"content":null}'],
  ['safejson', 'no JSON', json('{'), 502, {}, bad],
  ['string', 'text', [200, { 'Content-Type': 'text/csv' }, 'a;\u00e4'], 200, TEXT_UTF8, 'a;\u00e4'],
  ['string', 'JSON, as text', json(BIG), 200, TEXT_UTF8, BIG],
  ['string', 'nothing', [200, {}, ''], 200, TEXT_UTF8, ''],
  ['string', 'bytes that are no text', [200, {}, ALL_BYTES], 502, {}, bad],
  ['string', '500', [500, {}, 'x'], 502, {}, bad],
  [
    'no-op',
    'an object',
    json(BIG),
    200,
    { 'content-type': 'application/json', 'content-length': String(BIG.length) },
    BIG,
  ],
  [
    'no-op',
    'bytes of no type',
    [200, {}, ALL_BYTES],
    200,
    { 'content-type': undefined },
    ALL_BYTES,
  ],
  [
    'no-op',
    '1 MB',
    [200, { 'Content-Type': 'image/png' }, MEGABYTE.subarray(1)],
    200,
    { 'content-type': 'image/png' },
    MEGABYTE.subarray(1),
  ],
  [
    'no-op',
    'gzip',
    json(gzipSync(BIG), 200, { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }),
    200,
    { 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
    gzipSync(BIG),
  ],
  ['no-op', '204', [204, { ETag: '"e"' }], 204, { etag: '"e"', 'content-type': undefined }, ''],
  [
    'no-op',
    '304',
    [304, { ETag: '"e"', 'Cache-Control': 'max-age=1' }],
    304,
    { etag: '"e"', 'cache-control': 'max-age=1' },
    '',
  ],
  [
    'no-op',
    '206',
    [206, { 'Content-Range': 'bytes 0-0/2', 'Accept-Ranges': 'bytes' }, 'a'],
    206,
    { 'content-range': 'bytes 0-0/2', 'accept-ranges': 'bytes' },
    'a',
  ],
  [
    'no-op',
    '302',
    [302, { Location: 'https://elsewhere.example/b' }, 'moved'],
    302,
    { location: 'https://elsewhere.example/b' },
    'moved',
  ],
  [
    'no-op',
    '401',
    [401, { 'WWW-Authenticate': 'Basic realm="b"' }, 'no'],
    401,
    { 'www-authenticate': 'Basic realm="b"' },
    'no',
  ],
  [
    'no-op',
    '500',
    [500, { 'Content-Type': 'text/html', 'Retry-After': '3' }, '<p>'],
    500,
    { 'content-type': 'text/html', 'retry-after': '3' },
    '<p>',
  ],
  ['no-op', 'cookies', [200, { 'Set-Cookie': COOKIES }, ''], 200, { 'set-cookie': COOKIES }, ''],
  [
    'no-op',
    'headers that are not listed',
    [200, { 'X-Total': '7', Server: 's', 'X-Request-Id': 'theirs' }, ''],
    200,
    { 'x-total': undefined, server: undefined },
    '',
  ],
];

/** Where KrakenD does something else, in the words of docs/library.md; all other rows are the same there. */
const AS_DOCS_SAY: Readonly<Record<string, readonly string[]>> = {
  'members sorted': ['json, an object', 'safejson, an object', 'json, gzip'],
  '200 for 201': ['json, 201'],
  '500 for 204, for 4xx': ['json, 204', 'safejson, 204', 'string, 204', 'json, its own refusal'],
  'where 502 is the answer here': [
    'json, a number',
    'json, nothing',
    'json, text',
    'json, 500',
    'string, 500',
    'safejson, no JSON',
  ],
  'follows redirects': ['json, 302', 'no-op, 302'],
  'takes the first of several documents': ['json, two documents', 'json, two documents, by a line'],
  'nest up to 10,000 levels': ['json, nesting of 2000'],
  'any bytes for text': ['string, bytes that are no text'],
  'no lists with `json`': ['json, a list'],
  'every header of the backend with `no-op`': ['no-op, headers that are not listed'],
};

it('what KrakenD does in another way is in the manual', () => {
  const manual = readFileSync('docs/library.md', 'utf8').replaceAll(/\s+/g, ' ');
  const names = ROWS.map(([encoding, what]) => `${encoding}, ${what}`);
  expect(new Set(names).size).toBe(names.length);
  for (const [words, rows] of Object.entries(AS_DOCS_SAY)) {
    expect(manual).toContain(words);
    expect(names).toEqual(expect.arrayContaining([...rows]));
  }
});

describe.each([
  ['directly', (): void => undefined],
  [
    'by interceptors',
    (): void =>
      void (app as NestExpressApplication)
        .get(HttpService)
        .axiosRef.interceptors.request.use((config) => config),
  ],
])('an answer comes back %s:', (_way, customize) => {
  let url: string;
  beforeAll(async () => {
    url = await start();
    customize();
  });

  it.each(ROWS)('%s, %s', async (encoding, _what, given, status, headers, body) => {
    answer(...given);
    const got = await send(`${url}/${encoding}`);
    expect(got.status).toBe(status);
    expectHeaders(got, headers);
    expect(contentOf(got)).toEqual(Buffer.from(body));
    expect(got.headers['x-request-id']).not.toBe('theirs');
  });
});

it('several hosts take turns, and one that is gone is left out', async () => {
  const other = await startRecordingBackend();
  other.answers(OK);
  const url = await start({
    host: [backend.url, other.url],
    breaker: { failures: 1, probeEveryMs: 60_000 },
  });
  const ask = async (): Promise<number> => (await send(`${url}/json`)).status;
  for (let n = 0; n < 6; n++) expect(await ask()).toBe(200);
  expect([backend.seen.length, other.seen.length]).toEqual([3, 3]);
  other.answers((response) => void response.destroy());
  const statuses = [await ask(), await ask(), await ask(), await ask(), await ask()];
  expect(statuses.filter((status) => status !== 200).length).toBeLessThanOrEqual(1);
  expect(backend.seen.length).toBeGreaterThanOrEqual(7);
});

describe('what a route says of the answer', () => {
  it('stays; cookies of both are sent', async () => {
    const url = await start();
    answer(200, { 'Cache-Control': 'public', 'Set-Cookie': COOKIES }, 'x');
    expect((await send(`${url}/fixed`)).headers).toMatchObject({
      'cache-control': 'no-store',
      'set-cookie': ['own=1', ...COOKIES],
    });
  });

  it.each([
    [
      'json',
      'x-total,Set-Cookie',
      { 'x-total': '7', 'set-cookie': COOKIES, 'x-hop': undefined, 'x-other': undefined },
    ],
    [
      'json',
      '*',
      {
        'x-total': '7',
        'x-hop': undefined,
        'keep-alive': undefined,
        'content-language': undefined,
      },
    ],
    [
      'no-op',
      '*',
      { 'x-total': '7', 'x-other': 'o', 'x-hop': undefined, 'content-language': 'de' },
    ],
  ])('may let more of it through: %s, %s', async (encoding, names, headers) => {
    const url = await start();
    answer(
      ...json('{}', 200, {
        'X-Total': '7',
        'X-Other': 'o',
        'X-Hop': 'h',
        Connection: 'X-Hop, keep-alive',
        'Set-Cookie': COOKIES,
        'Content-Language': 'de',
      }),
    );
    const got = await send(`${url}/${encoding}?headers=${names}`, {
      headers: { connection: 'close' },
    });
    expectHeaders(got, headers);
  });

  it.each(['json', 'no-op'])('holds for HEAD, too: %s', async (encoding) => {
    const url = await start();
    answer(...json(BIG, 200, { 'Content-Length': String(BIG.length) }));
    const got = await send(`${url}/${encoding}`, { method: 'HEAD' });
    expect([got.status, got.body.length, got.headers['content-length']]).toEqual([
      200,
      0,
      String(BIG.length),
    ]);
  });

  it('is compressed where client and backend agree, and never else', async () => {
    const url = await start();
    for (const encoding of ['json', 'no-op'])
      await send(`${url}/${encoding}`, { headers: { 'accept-encoding': 'br' } });
    await send(`${url}/no-op`);
    expect(backend.seen.map(({ headers }) => headers['accept-encoding'])).toEqual([
      'identity',
      'br',
      'identity',
    ]);
    expect(backend.seen.map(({ headers }) => headers.accept)).toEqual([
      'application/json',
      '*/*',
      '*/*',
    ]);
  });
});

describe('a stream', () => {
  /** The response of a request that is under way. */
  async function open(url: string): Promise<IncomingMessage> {
    const request = httpRequest(url, { agent: false }).on('error', () => undefined);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response.on('error', () => undefined);
  }

  const isClosed = (response: IncomingMessage): Promise<void> =>
    new Promise((resolve) => void response.once('close', resolve));

  it('comes as it comes', async () => {
    const url = await start();
    let more: () => void = () => undefined;
    backend.answers((response) => {
      response.write('first');
      more = () => response.end('last');
    });
    const response = await open(`${url}/no-op`);
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('first');
    more();
    const [last] = (await once(response, 'data')) as [Buffer];
    expect(last.toString()).toBe('last');
  });

  it('that breaks off is no whole answer', async () => {
    const url = await start();
    const outcomes: string[] = [];
    client().onCall((outcome) => outcomes.push(outcome));
    backend.answers((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const response = await open(`${url}/no-op`);
    response.resume();
    await isClosed(response);
    expect(response.complete).toBe(false);
    await expect.poll(() => outcomes).toEqual(['unavailable']);
  });

  it('ends at the deadline, and with the client', async () => {
    const url = await start({ timeoutMs: 300 });
    const outcomes: string[] = [];
    client().onCall((outcome) => outcomes.push(outcome));
    let closed = 0;
    backend.answers((response) => {
      response.on('close', () => closed++).write('x');
    });
    const late = await open(`${url}/no-op`);
    late.resume();
    await isClosed(late);
    expect(late.complete).toBe(false);
    await expect.poll(() => outcomes).toEqual(['timeout']);
    const gone = await open(`${url}/no-op`);
    gone.destroy();
    await expect.poll(() => outcomes).toEqual(['timeout', 'other']);
    await expect.poll(() => closed).toBe(2);
  });

  it('that is too large by its length is no answer', async () => {
    const url = await start({ maxBodyBytes: 1000 });
    answer(200, {}, Buffer.alloc(1001));
    const got = await send(`${url}/no-op`);
    expect([got.status, contentOf(got).toString()]).toEqual([502, bad]);
  });

  it('that turns out to be too large ends', async () => {
    const url = await start({ maxBodyBytes: 1000 });
    let more: () => void = () => undefined;
    backend.answers((response) => {
      response.write(Buffer.alloc(1000));
      more = () => response.end('x');
    });
    const response = await open(`${url}/no-op`);
    response.resume();
    more();
    await isClosed(response);
    expect(response.complete).toBe(false);
  });

  it('does not fill the memory for a client that does not read, nor is the backend blamed', async () => {
    const url = await start({ timeoutMs: 500, maxBodyBytes: 2 ** 30 });
    const outcomes: string[] = [];
    client().onCall((outcome) => outcomes.push(outcome));
    let written = 0;
    backend.answers((response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
        response.once('drain', write);
      };
      write();
    });
    const response = await open(`${url}/no-op`);
    response.pause();
    await expect.poll(() => outcomes).toEqual(['other']);
    // What the sockets hold.
    expect(written).toBeLessThan(64 * 1024 * 1024);
    response.destroy();
  });

  it('of a client that is slow is no failure of the backend', async () => {
    const url = await start({ timeoutMs: 200, breaker: { failures: 1 } });
    const request = httpRequest(`${url}/no-op`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      agent: false,
    }).on('error', () => undefined);
    request.write('x');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers.connection]).toEqual([408, 'close']);
    const gone = httpRequest(`${url}/no-op`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      agent: false,
    }).on('error', () => undefined);
    gone.write('x');
    await expect.poll(() => client().stats.inFlight).toBe(1);
    gone.destroy();
    await expect.poll(() => client().stats.inFlight).toBe(0);
    expect(client().stats.state).toBe('closed');
  });

  it('of a client is not needed for an early answer', async () => {
    const url = await start();
    backend.answers((response) => response.writeHead(401, { 'x-total': '1' }).end('no'));
    const request = httpRequest(`${url}/no-op`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked', 'x-early': '1' },
      agent: false,
    }).on('error', () => undefined);
    request.write('x');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers.connection]).toEqual([401, 'close']);
  });

  it('counts as a failure with 5xx, which opens the circuit', async () => {
    const url = await start({ breaker: { failures: 2 } });
    answer(500, {}, 'x');
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await send(`${url}/no-op`)).status);
    expect(statuses).toEqual([500, 500, 502]);
  });
});
