// HttpService is the seam between BackendClient and the backend: what arrives, byte for byte.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { compileFunction } from 'node:vm';
import { HttpService } from '@nestjs/axios';
import { ForbiddenException, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import axios, { Axios, create, isAxiosError, type AxiosError, type AxiosInstance } from 'axios';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  vi,
  type MockInstance,
} from 'vitest';
import ts from 'typescript';
import {
  BackendBadResponseException,
  BackendClient,
  BackendFailedException,
  BackendModule,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
  type BackendCall,
  type BackendModuleOptions,
} from '../src/backend/index.js';

const SHORT = { timeoutMs: 300 };
/** Far less than a call without its limit would take, and enough on a busy machine. */
const SOON_MS = 20_000;

/** Records what it gets as it comes, and answers each complete request with the next of `answers`. */
class Recorder {
  readonly requests: string[] = [];
  answers: (string | undefined)[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.accept(socket));

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.requests.length = 0;
    this.answers = [];
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      this.requests.push(text);
      const isHead = text.startsWith('HEAD ');
      text = '';
      const answer = this.answers.length > 0 ? this.answers.shift() : http(200, '{"ok":true}');
      if (answer !== undefined)
        socket.write(isHead ? answer.replace(/\r\n\r\n.*/s, '\r\n\r\n') : answer);
    });
  }
}

const http = (status: number, body: string, headers = ''): string =>
  `HTTP/1.1 ${status} x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const recorder = new Recorder();
const other = new Recorder();
let app: INestApplicationContext | undefined;

beforeAll(async () => {
  await recorder.listen();
  await other.listen();
});
beforeEach(() => {
  recorder.reset();
  other.reset();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(() => {
  recorder.close();
  other.close();
});

type Customize = (instance: AxiosInstance, service: HttpService) => unknown;

/** A client whose `HttpService` was customized; nothing of it was touched without `customize`. */
async function start(
  customize?: Customize,
  options: Partial<BackendModuleOptions> = {},
): Promise<BackendClient> {
  await app?.close();
  app = await Test.createTestingModule({
    imports: [
      BackendModule.forRoot({
        host: `${recorder.url}/base/`,
        logFailures: false,
        timeoutMs: 30_000,
        maxBodyBytes: 1000,
        inputHeaders: [
          'X-Tenant',
          'Get',
          'common',
          'set',
          'delete',
          'has',
          'post',
          'cookie',
          'set-cookie',
          'accept',
          'authorization',
          'user-agent',
        ],
        inputQueryStrings: ['lang', 'page'],
        ...options,
      }),
    ],
  }).compile();
  const service = app.get(HttpService);
  if (customize !== undefined) await customize(service.axiosRef, service);
  return app.get(BackendClient);
}

/** The request of a client, as much of it as is looked at. */
const from = (headers: IncomingMessage['headers'], url = '/'): IncomingMessage =>
  ({ headers, url }) as IncomingMessage;

const JSON_BODY = Buffer.from('{"a": "\u00e4",  "n": 1e2}');

const get = { path: '/a' };
const post = { method: 'POST', path: '/a', body: JSON_BODY };

const CALLS: [string, BackendCall][] = [
  ['GET', { path: '/a' }],
  ['a method in lower case', { method: 'get', path: '/a' }],
  ['HEAD', { method: 'HEAD', path: '/a' }],
  ['DELETE', { method: 'DELETE', path: '/a' }],
  ['DELETE with a body', { method: 'DELETE', path: '/a', body: JSON_BODY }],
  ['GET with a body, which is not sent', { path: '/a', body: JSON_BODY }],
  ['POST with nothing', { method: 'POST', path: '/a' }],
  ['POST with an empty body', { method: 'POST', path: '/a', body: Buffer.alloc(0) }],
  ['POST with JSON', { method: 'POST', path: '/a', body: JSON_BODY }],
  [
    'POST with a form',
    {
      method: 'POST',
      path: '/a',
      body: Buffer.from('a=b+c'),
      contentType: 'application/x-www-form-urlencoded;  charset="utf-8"',
    },
  ],
  ['PUT with bytes', { method: 'PUT', path: '/a', body: Buffer.from([0, 255, 13, 10]) }],
  ['PATCH with nothing', { method: 'PATCH', path: '/a' }],
  ['a method of WebDAV', { method: 'PROPFIND', path: '/a', body: JSON_BODY }],
  [
    'headers of the client, in their order',
    {
      path: '/a',
      from: from({
        'x-tenant': 't1',
        authorization: 'Basic Y2xpZW50',
        accept: 'text/html, */*;q=0.1',
        'user-agent': 'curl/8',
        cookie: 'a=b; c="d"',
      }),
    },
  ],
  [
    'values with blanks, commas, Latin letters and nothing',
    {
      path: '/a',
      from: from({ 'x-tenant': '', cookie: 'a\t b,,c', authorization: '\u00e4\u0080' }),
    },
  ],
  [
    'a header that is there twice',
    { path: '/a', from: from({ 'set-cookie': ['a=b', 'c=d'], 'x-tenant': 'a, b' }) },
  ],
  [
    'parameters of the client',
    { path: '/a?x=1', from: from({}, '/?lang=d%65&evil=1&page=1&page=2') },
  ],
  ['a path without a slash', { path: 'a' }],
  ['a path that looks like a host', { path: '//evil.example/a' }],
  ['a path that looks like a URL', { path: 'http://evil.example/a' }],
  [
    'a path with all kinds of characters',
    { path: "/%2e%2E/a%2Fb;c=d,e'(f)*!~:@$&=+/?g[]={h}|`#i?j" },
  ],
  ['claims in the path', { path: '/u/{JWT.sub}?x={JWT.sub}', claims: { sub: '../a b?#\u00e4' } }],
];

const NO_OPS: [string, Customize][] = [
  ['a request interceptor', ({ interceptors }) => interceptors.request.use((config) => config)],
  [
    'a synchronous one',
    ({ interceptors }) =>
      interceptors.request.use((config) => config, undefined, { synchronous: true }),
  ],
  [
    'one that is not run',
    ({ interceptors }) =>
      interceptors.request.use(
        () => {
          throw new Error('not reached');
        },
        undefined,
        { runWhen: () => false },
      ),
  ],
  ['a response interceptor', ({ interceptors }) => interceptors.response.use((answer) => answer)],
  [
    'one of each for errors',
    ({ interceptors }) => {
      const rethrow = (error: unknown): never => {
        throw error;
      };
      interceptors.request.use(undefined, rethrow);
      interceptors.response.use(undefined, rethrow);
    },
  ],
  [
    'interceptors that were removed',
    ({ interceptors: { request, response } }) => {
      const reject = (): never => {
        throw new Error('removed');
      };
      request.eject(request.use(reject));
      response.use(reject);
      response.clear();
    },
  ],
  ['defaults that were only read', ({ defaults }) => JSON.stringify(defaults)],
  ['an empty default', ({ defaults }) => (defaults.headers.common = {})],
];

/** What arrives for one call. */
async function bytesOf(client: BackendClient, call: BackendCall): Promise<string[]> {
  recorder.reset();
  // An answer to HEAD has no JSON.
  await client.call(call).catch((error: unknown) => {
    if (call.method !== 'HEAD') throw error;
  });
  return [...recorder.requests];
}

describe('the same bytes arrive', () => {
  /** By base path and call. */
  const plain = new Map<string, string[]>();
  const record = async (
    basePath: string,
    customize?: Customize,
  ): Promise<Map<string, string[]>> => {
    const client = await start(customize, { host: `${recorder.url}${basePath}` });
    const recorded = new Map<string, string[]>();
    for (const [name, call] of CALLS)
      recorded.set(`${basePath} ${name}`, await bytesOf(client, call));
    return recorded;
  };
  const BASE_PATHS = ['', '/base/'];
  beforeAll(async () => {
    for (const basePath of BASE_PATHS)
      for (const [name, bytes] of await record(basePath)) plain.set(name, bytes);
  });

  it('of each call, below the host', () => {
    expect([...plain.values()].every(({ length }) => length === 1)).toBe(true);
    expect(plain.get(' a path that looks like a host')?.[0]).toMatch(
      /^GET \/evil\.example\/a HTTP/,
    );
    expect(plain.get('/base/ a path without a slash')?.[0]).toMatch(/^GET \/base\/a HTTP/);
  });

  it.each(NO_OPS)('with %s', async (_name, customize) => {
    for (const basePath of BASE_PATHS)
      for (const [name, bytes] of await record(basePath, customize))
        expect([name, bytes]).toEqual([name, plain.get(name)]);
  });

  it('but for the order of headers that are called like methods of axios', async () => {
    const headers = { get: '1', common: '2', set: '3', delete: '4', has: '5', post: '6' };
    const call = { ...post, from: from(headers) };
    const lines = async (client: BackendClient): Promise<string[]> =>
      (await bytesOf(client, call)).flatMap((text) => text.split('\r\n').toSorted());
    const expected = await lines(await start());
    expect(expected).toEqual(expect.arrayContaining(['get: 1', 'common: 2', 'has: 5']));
    expect(await lines(await start(({ defaults }) => defaults))).toEqual(expected);
  });
});

const last = (): string => recorder.requests.at(-1) ?? '';
describe('defaults', () => {
  it('add headers to each request, or to those of a method', async () => {
    const client = await start(({ defaults }) => {
      defaults.headers.common['X-Key'] = 'k1';
      defaults.headers.post['X-Post'] = 'p1';
      defaults.headers['X-Direct'] = 'd1';
    });
    await client.call(get);
    expect(last()).toMatch(/\r\nx-key: k1\r\n/);
    expect(last()).toMatch(/\r\nx-direct: d1\r\n/);
    expect(last()).not.toMatch(/x-post/i);
    await client.call(post);
    expect(last()).toMatch(/\r\nx-key: k1\r\n/);
    expect(last()).toMatch(/\r\nx-post: p1\r\n/);
  });

  it('may change after the first call', async () => {
    const client = await start();
    await client.call(get);
    expect(last()).not.toMatch(/x-key/);
    const { axiosRef } = (app as INestApplicationContext).get(HttpService);
    for (const key of ['k1', 'k2']) {
      axiosRef.defaults.headers.common['X-Key'] = key;
      await client.call(get);
      expect(last()).toContain(`\r\nx-key: ${key}\r\n`);
    }
    delete axiosRef.defaults.headers.common['X-Key'];
    await client.call(get);
    expect(last()).not.toMatch(/x-key/);
  });

  it('do not replace what a call says itself', async () => {
    const client = await start(({ defaults }) => {
      defaults.baseURL = other.url;
      defaults.url = '/other';
      defaults.method = 'DELETE';
      defaults.data = 'other';
      defaults.headers.common['Accept-Encoding'] = 'gzip';
      defaults.headers.common.Accept = 'text/html';
      defaults.headers.post['Content-Type'] = 'text/plain';
    });
    await client.call(post);
    const sent = last();
    expect(sent).toMatch(/^POST \/base\/a HTTP/);
    expect(sent.match(/^(?:accept|content-)[^\r]*/gm)?.toSorted()).toEqual([
      'accept-encoding: identity',
      'accept: application/json',
      `content-length: ${JSON_BODY.length}`,
      'content-type: application/json',
    ]);
    expect(Buffer.from(sent, 'latin1').subarray(-JSON_BODY.length)).toEqual(JSON_BODY);
    expect(other.requests).toEqual([]);
  });

  it('declare no content where there is none', async () => {
    const client = await start(({ defaults }) => {
      defaults.headers.post['Content-Type'] = 'text/plain';
    });
    await client.call({ method: 'POST', path: '/a' });
    expect(last()).not.toMatch(/content-type/i);
  });

  it('add parameters and credentials', async () => {
    const client = await start(({ defaults }) => {
      defaults.params = { key: 'a b', list: [1, 2] };
      defaults.auth = { username: 'u', password: 'p' };
    });
    await client.call({ path: '/a?x=1' });
    expect(last()).toMatch(/^GET \/base\/a\?x=1&key=a\+b&list%5B%5D=1&list%5B%5D=2 HTTP/);
    expect(last()).toContain(`\r\nauthorization: Basic ${btoa('u:p')}\r\n`);
  });

  it('transform requests and responses', async () => {
    const client = await start(({ defaults }) => {
      defaults.transformRequest = (data: Buffer) => data.toString().toUpperCase();
      defaults.transformResponse = (data: Buffer) => ({
        wrapped: JSON.parse(data.toString()) as object,
      });
    });
    expect((await client.call(post)).body).toEqual({ wrapped: { ok: true } });
    expect(last()).toContain('"N": 1E2}');
  });

  it.each([60_000, 0, -1, Infinity, NaN])(
    'with timeout %d do not outlast the option',
    async (timeout) => {
      const client = await start(({ defaults }) => (defaults.timeout = timeout), SHORT);
      recorder.answers = [undefined];
      const started = performance.now();
      await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
      expect(performance.now() - started).toBeLessThan(SOON_MS);
    },
  );

  it('may wait for less time', async () => {
    const client = await start(({ defaults }) => (defaults.timeout = 20));
    recorder.answers = [undefined];
    await expect(client.call(get)).rejects.toMatchObject({
      details: {
        code: 'backend_timeout',
        explanation: `no complete answer of ${recorder.url} within 20 ms`,
      },
    });
  });

  it.each([1e9, -1, Infinity])('with maxContentLength %d take no larger answer', async (bytes) => {
    const client = await start(({ defaults }) => (defaults.maxContentLength = bytes));
    recorder.answers = [http(200, JSON.stringify('x'.repeat(1000)))];
    await expect(client.call(get)).rejects.toMatchObject({
      details: { explanation: 'the answer is larger than 1000 bytes' },
    });
  });

  it('of axios as a whole are for other servers', async () => {
    axios.defaults.headers.common['X-Global'] = 'g';
    axios.defaults.baseURL = other.url;
    axios.defaults.params = { global: 'g' };
    axios.defaults.auth = { username: 'global', password: 'g' };
    try {
      const client = await start(({ interceptors }) => interceptors.request.use((one) => one));
      await client.call(get);
      expect(last()).toMatch(/^GET \/base\/a HTTP/);
      expect(last()).not.toMatch(/x-global|authorization/i);
    } finally {
      delete axios.defaults.headers.common['X-Global'];
      for (const name of ['baseURL', 'params', 'auth'] as const) delete axios.defaults[name];
    }
  });

  it('may name another adapter', async () => {
    const client = await start(
      ({ defaults }) =>
        (defaults.adapter = async (config) => ({
          status: 200,
          statusText: '',
          headers: {},
          data: '{"from":"adapter"}',
          config,
        })),
    );
    expect((await client.call(get)).text).toBe('{"from":"adapter"}');
    expect(recorder.requests).toEqual([]);
  });
});

describe('request interceptors', () => {
  it('change what is sent', async () => {
    const client = await start(({ interceptors }) =>
      interceptors.request.use((config) => {
        expect([config.baseURL, config.url, config.method]).toEqual([
          recorder.url,
          '/base/a',
          'post',
        ]);
        expect(config.data).toEqual(JSON_BODY);
        config.headers.set('X-Added', 'yes');
        config.headers.delete('accept');
        config.headers.setContentType(false);
        config.data = { made: 'of a value' };
        config.url = '/changed';
        return config;
      }),
    );
    await client.call(post);
    expect(last()).toMatch(/^POST \/changed HTTP/);
    expect(last()).toMatch(/\r\nx-added: yes\r\n/);
    expect(last()).not.toMatch(/\r\naccept:/i);
    expect(last()).toMatch(/\r\n\r\n\{"made":"of a value"\}$/);
  });

  it.each([
    [
      'a form',
      new URLSearchParams({ a: 'b c' }),
      /content-type: application\/x-www-form-urlencoded;charset=utf-8\r\n[^]*\r\n\r\na=b\+c$/,
    ],
    ['a string', 'plain', /\r\n\r\nplain$/],
    ['bytes', new Uint8Array([104, 105]), /\r\n\r\nhi$/],
    ['nothing', undefined, /content-length: 0\r\n\r\n$/],
  ])('may give %s as the body', async (_name, data, expected) => {
    const client = await start(({ interceptors }) =>
      interceptors.request.use((config) => {
        config.headers.delete('content-type');
        config.data = data;
        return config;
      }),
    );
    await client.call(post);
    expect(last()).toMatch(expected);
  });

  it.each([
    ['baseURL', () => ({ baseURL: other.url })],
    ['url', () => ({ url: `${other.url}/base/a` })],
  ])('may go elsewhere by %s', async (_name, change) => {
    const client = await start(({ interceptors }) =>
      interceptors.request.use((config) => Object.assign(config, change())),
    );
    await client.call(get);
    expect(recorder.requests).toEqual([]);
    expect(other.requests[0]).toMatch(/^GET \/base\/a HTTP/);
  });

  it('may be added and removed between calls', async () => {
    const client = await start();
    const { interceptors } = (app as INestApplicationContext).get(HttpService).axiosRef;
    const use = (value: string): number =>
      interceptors.request.use((config) => {
        config.headers.set('x-added', value);
        return config;
      });
    await client.call(get);
    const plain = last();
    const id = use('1');
    await client.call(get);
    expect(last()).toMatch(/x-added: 1/);
    interceptors.request.eject(id);
    await client.call(get);
    expect(last()).toBe(plain);
    use('2');
    await client.call(get);
    expect(last()).toMatch(/x-added: 2/);
  });

  it('may refuse: the caller gets what they throw', async () => {
    const refusal = new ForbiddenException('not today');
    const client = await start(({ interceptors }) =>
      interceptors.request.use(() => {
        throw refusal;
      }),
    );
    await expect(client.call(get)).rejects.toBe(refusal);
    expect(recorder.requests).toEqual([]);
  });

  it('may ask another server, whose refusal is not that of the backend', async () => {
    const client = await start(({ interceptors }, { axiosRef }) =>
      interceptors.request.use(async (config) => {
        if (config.baseURL === undefined) return config;
        const { data } = await axiosRef.post<Buffer>(`${other.url}/token`);
        config.headers.set('authorization', data.toString());
        return config;
      }),
    );
    other.answers = [http(200, 'token-1'), http(401, '{"of":"the other"}')];
    await client.call(get);
    expect(last()).toMatch(/\r\nauthorization: token-1\r\n/);
    const thrown: unknown = await client.call(get).catch((error: unknown) => error);
    expect(isAxiosError(thrown) && thrown.response?.status).toBe(401);
    expect(recorder.requests).toHaveLength(1);
  });

  it('may take no more time than the call has', async () => {
    const client = await start(
      ({ interceptors }) => interceptors.request.use(() => new Promise<never>(() => undefined)),
      SHORT,
    );
    await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
    expect(client.stats.inFlight).toBe(0);
  });

  it('may bring a signal of their own', async () => {
    const canceler = new AbortController();
    const client = await start(({ interceptors }) =>
      interceptors.request.use((config) => Object.assign(config, { signal: canceler.signal })),
    );
    recorder.answers = [undefined];
    const call = client.call(get);
    await expect.poll(() => recorder.requests.length).toBe(1);
    canceler.abort();
    await expect(call).rejects.toMatchObject({
      details: {
        code: 'backend_unavailable',
        explanation: 'the request was given up (ERR_CANCELED)',
      },
    });
  });
});

describe('response interceptors', () => {
  it('see the response, and change it', async () => {
    const client = await start(({ interceptors }) =>
      interceptors.response.use((response) => {
        expect(Buffer.isBuffer(response.data)).toBe(true);
        expect(response.headers['content-type']).toBe('application/json');
        response.status = 201;
        response.data = { answer: JSON.parse((response.data as Buffer).toString()) as object };
        return response;
      }),
    );
    const answer = await client.call(get);
    expect([answer.status, answer.body]).toEqual([201, { answer: { ok: true } }]);
  });

  it('that return nothing are told so', async () => {
    const client = await start(({ interceptors }) =>
      interceptors.response.use(() => undefined as never),
    );
    await expect(client.call(get)).rejects.toThrow(/returned no response/);
  });

  it.each([
    [401, BackendRefusedException],
    [503, BackendFailedException],
    [302, BackendBadResponseException],
  ])(
    'see status %d as an error with a response, which the caller gets as without them',
    async (status, kind) => {
      const refused = http(status, '{"why":"so"}', 'Www-Authenticate: Basic\r\n');
      recorder.answers = [refused, refused];
      const plain: unknown = await (await start()).call(get).catch((error: unknown) => error);
      const seen: unknown[] = [];
      const client = await start(({ interceptors }) =>
        interceptors.response.use(undefined, (error: AxiosError) => {
          seen.push(error.response?.status, String(error.response?.data), error.config?.url);
          throw error;
        }),
      );
      const thrown: unknown = await client.call(get).catch((error: unknown) => error);
      expect(seen).toEqual([status, '{"why":"so"}', '/base/a']);
      expect(thrown).toBeInstanceOf(kind);
      expect(thrown).toEqual(plain);
    },
  );

  it.each([
    ['nobody listens', { host: 'http://127.0.0.1:1' }, BackendUnavailableException, 'ERR_NETWORK'],
    ['nothing comes', {}, BackendTimeoutException, 'ETIMEDOUT'],
    ['too much comes', { maxBodyBytes: 1 }, BackendBadResponseException, 'ERR_BAD_RESPONSE'],
  ])(
    'see the exception of the client as the cause where %s',
    async (_name, options, kind, code) => {
      if (code === 'ETIMEDOUT') recorder.answers = [undefined];
      let seen: AxiosError | undefined;
      const client = await start(({ interceptors, defaults }) => {
        if (code === 'ETIMEDOUT') defaults.timeout = 50;
        interceptors.response.use(undefined, (error: AxiosError) => {
          seen = error;
          throw error;
        });
      }, options);
      const thrown: unknown = await client.call(get).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(kind);
      expect(isAxiosError(seen)).toBe(true);
      expect([seen?.code, seen?.cause, seen?.response]).toEqual([code, thrown, undefined]);
      expect(seen?.config?.method).toBe('get');
    },
  );

  it('retry: one call for whoever counts, with one deadline', async () => {
    const outcomes: string[] = [];
    const retrying = ({ interceptors }: AxiosInstance, { axiosRef }: HttpService): unknown =>
      interceptors.response.use(undefined, (error: AxiosError) =>
        axiosRef.request(error.config ?? {}),
      );
    let client = await start(retrying);
    client.onCall((outcome) => outcomes.push(outcome));
    recorder.answers = [http(503, '{}'), http(503, '{}'), http(200, '{"third":1}')];
    expect((await client.call(post)).body).toEqual({ third: 1 });
    expect(recorder.requests).toHaveLength(3);
    expect(new Set(recorder.requests).size).toBe(1);
    expect(outcomes).toEqual(['answered']);
    client = await start(retrying, SHORT);
    client.onCall((outcome) => outcomes.push(outcome));
    recorder.answers = Array.from({ length: 100_000 }, () => http(503, '{}'));
    const started = performance.now();
    await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    const { length } = recorder.requests;
    await new Promise((resolve) => setTimeout(resolve, 50));
    // One may have been on its way.
    expect(recorder.requests.length - length).toBeLessThanOrEqual(1);
    expect(outcomes).toEqual(['answered', 'timeout']);
  });

  it('get a new token for the backend when it refuses the old one', async () => {
    let token = 'old';
    const client = await start(({ interceptors }, { axiosRef }) => {
      interceptors.request.use((config) => {
        config.headers.set('authorization', token);
        return config;
      });
      interceptors.response.use(undefined, (error: AxiosError) => {
        if (error.response?.status !== 401 || token === 'new') throw error;
        token = 'new';
        return axiosRef.request(error.config ?? {});
      });
    });
    recorder.answers = [http(401, '{}')];
    expect((await client.call(get)).status).toBe(200);
    expect(recorder.requests.map((text) => /authorization: (\w+)/.exec(text)?.[1])).toEqual([
      'old',
      'new',
    ]);
  });
});

describe('HttpService', () => {
  it('is passed by until somebody takes axios out of it', async () => {
    const request = vi.spyOn(Axios.prototype, 'request');
    const client = await start();
    await client.call(get);
    expect(request).not.toHaveBeenCalled();
    expect((app as INestApplicationContext).get(HttpService).axiosRef).toBeTypeOf('function');
    await client.call(get);
    expect(request).toHaveBeenCalledOnce();
    request.mockRestore();
  });

  it('calls a method that somebody replaced', async () => {
    let request: MockInstance | undefined;
    const client = await start((instance) => (request = vi.spyOn(instance, 'request')));
    await client.call(get);
    expect(request).toHaveBeenCalledOnce();
    expect(last()).toMatch(/^GET \/base\/a HTTP/);
  });

  it('may be another one in a test', async () => {
    const adapter = async () => ({ status: 200, statusText: '', headers: {}, data: '{"mock":1}' });
    app = await Test.createTestingModule({
      imports: [BackendModule.forRoot({ host: recorder.url, logFailures: false })],
    })
      .overrideProvider(HttpService)
      .useValue(new HttpService(create({ adapter: adapter as never })))
      .compile();
    expect((await app.get(BackendClient).call(get)).body).toEqual({ mock: 1 });
    expect(recorder.requests).toEqual([]);
  });

  it('is for other requests, too, within the same limits', async () => {
    await start(undefined, { timeoutMs: 2000 });
    const { axiosRef } = (app as INestApplicationContext).get(HttpService);
    const { data } = await axiosRef.get<Buffer>(`${other.url}?a=b`, { params: { c: 'd' } });
    expect(data.toString()).toBe('{"ok":true}');
    expect(other.requests[0]).toMatch(/^GET \/\?a=b&c=d HTTP/);
    other.answers = [undefined];
    const late = axiosRef.get(other.url, { timeout: 60_000 });
    await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await expect(axiosRef.get('ftp://host/')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
    await expect(axiosRef.get('/no-host')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
  });
});

it('works as the documentation of BackendClient shows it', async () => {
  const source = readFileSync('src/backend/backend-client.service.ts', 'utf8');
  const [, block = ''] = /@example\n \* ```ts\n(.*?) \* ```/s.exec(source) ?? [];
  const example = block.replaceAll(/^ \* ?/gm, '');
  const imports = [
    "import { Module } from '@nestjs/common';",
    "import { HttpService } from '@nestjs/axios';",
    "import type { AxiosError } from 'axios';",
  ];
  const door = "import { BackendModule, BackendUnavailableException } from './backend/index.js';";
  const { outputText } = ts.transpileModule(
    [...imports, door, example.replace('https://login.internal', recorder.url)].join('\n'),
    {
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2024,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    },
  );
  const nodeRequire = createRequire(import.meta.url);
  const exported: { AppModule?: new () => unknown } = {};
  compileFunction(outputText, ['require', 'exports'])(
    (name: string): unknown =>
      name.startsWith('.') ? { BackendModule, BackendUnavailableException } : nodeRequire(name),
    exported,
  );
  app = await Test.createTestingModule({ imports: [exported.AppModule as never] }).compile();
  const client = app.get(BackendClient, { strict: false });
  recorder.answers = [http(503, '{}')];
  expect((await client.call(get)).status).toBe(200);
  expect(recorder.requests).toHaveLength(2);
  expect(recorder.requests.every((text) => /\r\nx-api-key: secret\r\n/.test(text))).toBe(true);
  recorder.answers = [http(503, '{}'), http(503, '{}')];
  await expect(client.call(get)).rejects.toBeInstanceOf(BackendFailedException);
  recorder.answers = [http(503, '{}')];
  await expect(client.call(post)).rejects.toBeInstanceOf(BackendFailedException);
  expect(recorder.requests).toHaveLength(5);
});
