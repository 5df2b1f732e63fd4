// HttpService is the seam between BackendClient and the backend: what arrives, byte for byte.
import './setup/no-nest-log.js';
import { once } from 'node:events';
import './setup/no-nest-log.js';
import { readFileSync } from 'node:fs';
import './setup/no-nest-log.js';
import type { IncomingMessage } from 'node:http';
import './setup/no-nest-log.js';
import { createRequire } from 'node:module';
import './setup/no-nest-log.js';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import './setup/no-nest-log.js';
import { compileFunction } from 'node:vm';
import './setup/no-nest-log.js';
import { HttpService } from '@nestjs/axios';
import './setup/no-nest-log.js';
import { ForbiddenException, type INestApplicationContext } from '@nestjs/common';
import './setup/no-nest-log.js';
import { Test } from '@nestjs/testing';
import './setup/no-nest-log.js';
import axios, { Axios, create, isAxiosError, type AxiosError, type AxiosInstance } from 'axios';
import './setup/no-nest-log.js';
import {
import './setup/no-nest-log.js';
  afterAll,
import './setup/no-nest-log.js';
  afterEach,
import './setup/no-nest-log.js';
  beforeAll,
import './setup/no-nest-log.js';
  beforeEach,
import './setup/no-nest-log.js';
  describe,
import './setup/no-nest-log.js';
  expect,
import './setup/no-nest-log.js';
  it,
import './setup/no-nest-log.js';
  vi,
import './setup/no-nest-log.js';
  type MockInstance,
import './setup/no-nest-log.js';
} from 'vitest';
import './setup/no-nest-log.js';
import ts from 'typescript';
import './setup/no-nest-log.js';
import {
import './setup/no-nest-log.js';
  BackendBadResponseException,
import './setup/no-nest-log.js';
  BackendClient,
import './setup/no-nest-log.js';
  BackendFailedException,
import './setup/no-nest-log.js';
  BackendModule,
import './setup/no-nest-log.js';
  BackendRefusedException,
import './setup/no-nest-log.js';
  BackendTimeoutException,
import './setup/no-nest-log.js';
  BackendUnavailableException,
import './setup/no-nest-log.js';
  type BackendCall,
import './setup/no-nest-log.js';
  type BackendModuleOptions,
import './setup/no-nest-log.js';
} from '../src/backend/index.js';
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const SHORT = { timeoutMs: 300 };
import './setup/no-nest-log.js';
/** Far less than a call without its limit would take, and enough on a busy machine. */
import './setup/no-nest-log.js';
const SOON_MS = 20_000;
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
/** Records what it gets as it comes, and answers each complete request with the next of `answers`. */
import './setup/no-nest-log.js';
class Recorder {
import './setup/no-nest-log.js';
  readonly requests: string[] = [];
import './setup/no-nest-log.js';
  answers: (string | undefined)[] = [];
import './setup/no-nest-log.js';
  private readonly sockets = new Set<Socket>();
import './setup/no-nest-log.js';
  private readonly server: Server = createServer((socket) => this.accept(socket));
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  async listen(): Promise<void> {
import './setup/no-nest-log.js';
    this.server.listen(0, '127.0.0.1');
import './setup/no-nest-log.js';
    await once(this.server, 'listening');
import './setup/no-nest-log.js';
  }
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  get url(): string {
import './setup/no-nest-log.js';
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
import './setup/no-nest-log.js';
  }
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  reset(): void {
import './setup/no-nest-log.js';
    this.requests.length = 0;
import './setup/no-nest-log.js';
    this.answers = [];
import './setup/no-nest-log.js';
  }
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  close(): void {
import './setup/no-nest-log.js';
    this.server.close();
import './setup/no-nest-log.js';
    for (const socket of this.sockets) socket.destroy();
import './setup/no-nest-log.js';
  }
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  private accept(socket: Socket): void {
import './setup/no-nest-log.js';
    this.sockets.add(socket);
import './setup/no-nest-log.js';
    let text = '';
import './setup/no-nest-log.js';
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
import './setup/no-nest-log.js';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
import './setup/no-nest-log.js';
      text += chunk;
import './setup/no-nest-log.js';
      const end = text.indexOf('\r\n\r\n');
import './setup/no-nest-log.js';
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
import './setup/no-nest-log.js';
      if (end < 0 || text.length < end + 4 + length) return;
import './setup/no-nest-log.js';
      this.requests.push(text);
import './setup/no-nest-log.js';
      const isHead = text.startsWith('HEAD ');
import './setup/no-nest-log.js';
      text = '';
import './setup/no-nest-log.js';
      const answer = this.answers.length > 0 ? this.answers.shift() : http(200, '{"ok":true}');
import './setup/no-nest-log.js';
      if (answer !== undefined)
import './setup/no-nest-log.js';
        socket.write(isHead ? answer.replace(/\r\n\r\n.*/s, '\r\n\r\n') : answer);
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
  }
import './setup/no-nest-log.js';
}
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const http = (status: number, body: string, headers = ''): string =>
import './setup/no-nest-log.js';
  `HTTP/1.1 ${status} x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const recorder = new Recorder();
import './setup/no-nest-log.js';
const other = new Recorder();
import './setup/no-nest-log.js';
let app: INestApplicationContext | undefined;
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
beforeAll(async () => {
import './setup/no-nest-log.js';
  await recorder.listen();
import './setup/no-nest-log.js';
  await other.listen();
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';
beforeEach(() => {
import './setup/no-nest-log.js';
  recorder.reset();
import './setup/no-nest-log.js';
  other.reset();
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';
afterEach(async () => {
import './setup/no-nest-log.js';
  await app?.close();
import './setup/no-nest-log.js';
  app = undefined;
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';
afterAll(() => {
import './setup/no-nest-log.js';
  recorder.close();
import './setup/no-nest-log.js';
  other.close();
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
type Customize = (instance: AxiosInstance, service: HttpService) => unknown;
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
/** A client whose `HttpService` was customized; nothing of it was touched without `customize`. */
import './setup/no-nest-log.js';
async function start(
import './setup/no-nest-log.js';
  customize?: Customize,
import './setup/no-nest-log.js';
  options: Partial<BackendModuleOptions> = {},
import './setup/no-nest-log.js';
): Promise<BackendClient> {
import './setup/no-nest-log.js';
  await app?.close();
import './setup/no-nest-log.js';
  app = await Test.createTestingModule({
import './setup/no-nest-log.js';
    imports: [
import './setup/no-nest-log.js';
      BackendModule.forRoot({
import './setup/no-nest-log.js';
        host: `${recorder.url}/base/`,
import './setup/no-nest-log.js';
        timeoutMs: 30_000,
import './setup/no-nest-log.js';
        maxBodyBytes: 1000,
import './setup/no-nest-log.js';
        inputHeaders: [
import './setup/no-nest-log.js';
          'X-Tenant',
import './setup/no-nest-log.js';
          'Get',
import './setup/no-nest-log.js';
          'common',
import './setup/no-nest-log.js';
          'set',
import './setup/no-nest-log.js';
          'delete',
import './setup/no-nest-log.js';
          'has',
import './setup/no-nest-log.js';
          'post',
import './setup/no-nest-log.js';
          'cookie',
import './setup/no-nest-log.js';
          'set-cookie',
import './setup/no-nest-log.js';
          'accept',
import './setup/no-nest-log.js';
          'authorization',
import './setup/no-nest-log.js';
          'user-agent',
import './setup/no-nest-log.js';
        ],
import './setup/no-nest-log.js';
        inputQueryStrings: ['lang', 'page'],
import './setup/no-nest-log.js';
        ...options,
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    ],
import './setup/no-nest-log.js';
  }).compile();
import './setup/no-nest-log.js';
  const service = app.get(HttpService);
import './setup/no-nest-log.js';
  if (customize !== undefined) await customize(service.axiosRef, service);
import './setup/no-nest-log.js';
  return app.get(BackendClient);
import './setup/no-nest-log.js';
}
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
/** The request of a client, as much of it as is looked at. */
import './setup/no-nest-log.js';
const from = (headers: IncomingMessage['headers'], url = '/'): IncomingMessage =>
import './setup/no-nest-log.js';
  ({ headers, url }) as IncomingMessage;
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const JSON_BODY = Buffer.from('{"a": "\u00e4",  "n": 1e2}');
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const get = { path: '/a' };
import './setup/no-nest-log.js';
const post = { method: 'POST', path: '/a', body: JSON_BODY };
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const CALLS: [string, BackendCall][] = [
import './setup/no-nest-log.js';
  ['GET', { path: '/a' }],
import './setup/no-nest-log.js';
  ['a method in lower case', { method: 'get', path: '/a' }],
import './setup/no-nest-log.js';
  ['HEAD', { method: 'HEAD', path: '/a' }],
import './setup/no-nest-log.js';
  ['DELETE', { method: 'DELETE', path: '/a' }],
import './setup/no-nest-log.js';
  ['DELETE with a body', { method: 'DELETE', path: '/a', body: JSON_BODY }],
import './setup/no-nest-log.js';
  ['GET with a body, which is not sent', { path: '/a', body: JSON_BODY }],
import './setup/no-nest-log.js';
  ['POST with nothing', { method: 'POST', path: '/a' }],
import './setup/no-nest-log.js';
  ['POST with an empty body', { method: 'POST', path: '/a', body: Buffer.alloc(0) }],
import './setup/no-nest-log.js';
  ['POST with JSON', { method: 'POST', path: '/a', body: JSON_BODY }],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'POST with a form',
import './setup/no-nest-log.js';
    {
import './setup/no-nest-log.js';
      method: 'POST',
import './setup/no-nest-log.js';
      path: '/a',
import './setup/no-nest-log.js';
      body: Buffer.from('a=b+c'),
import './setup/no-nest-log.js';
      contentType: 'application/x-www-form-urlencoded;  charset="utf-8"',
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  ['PUT with bytes', { method: 'PUT', path: '/a', body: Buffer.from([0, 255, 13, 10]) }],
import './setup/no-nest-log.js';
  ['PATCH with nothing', { method: 'PATCH', path: '/a' }],
import './setup/no-nest-log.js';
  ['a method of WebDAV', { method: 'PROPFIND', path: '/a', body: JSON_BODY }],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'headers of the client, in their order',
import './setup/no-nest-log.js';
    {
import './setup/no-nest-log.js';
      path: '/a',
import './setup/no-nest-log.js';
      from: from({
import './setup/no-nest-log.js';
        'x-tenant': 't1',
import './setup/no-nest-log.js';
        authorization: 'Basic Y2xpZW50',
import './setup/no-nest-log.js';
        accept: 'text/html, */*;q=0.1',
import './setup/no-nest-log.js';
        'user-agent': 'curl/8',
import './setup/no-nest-log.js';
        cookie: 'a=b; c="d"',
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'values with blanks, commas, Latin letters and nothing',
import './setup/no-nest-log.js';
    {
import './setup/no-nest-log.js';
      path: '/a',
import './setup/no-nest-log.js';
      from: from({ 'x-tenant': '', cookie: 'a\t b,,c', authorization: '\u00e4\u0080' }),
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'a header that is there twice',
import './setup/no-nest-log.js';
    { path: '/a', from: from({ 'set-cookie': ['a=b', 'c=d'], 'x-tenant': 'a, b' }) },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'parameters of the client',
import './setup/no-nest-log.js';
    { path: '/a?x=1', from: from({}, '/?lang=d%65&evil=1&page=1&page=2') },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  ['a path without a slash', { path: 'a' }],
import './setup/no-nest-log.js';
  ['a path that looks like a host', { path: '//evil.example/a' }],
import './setup/no-nest-log.js';
  ['a path that looks like a URL', { path: 'http://evil.example/a' }],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'a path with all kinds of characters',
import './setup/no-nest-log.js';
    { path: "/%2e%2E/a%2Fb;c=d,e'(f)*!~:@$&=+/?g[]={h}|`#i?j" },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  ['claims in the path', { path: '/u/{JWT.sub}?x={JWT.sub}', claims: { sub: '../a b?#\u00e4' } }],
import './setup/no-nest-log.js';
];
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const NO_OPS: [string, Customize][] = [
import './setup/no-nest-log.js';
  ['a request interceptor', ({ interceptors }) => interceptors.request.use((config) => config)],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'a synchronous one',
import './setup/no-nest-log.js';
    ({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => config, undefined, { synchronous: true }),
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'one that is not run',
import './setup/no-nest-log.js';
    ({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use(
import './setup/no-nest-log.js';
        () => {
import './setup/no-nest-log.js';
          throw new Error('not reached');
import './setup/no-nest-log.js';
        },
import './setup/no-nest-log.js';
        undefined,
import './setup/no-nest-log.js';
        { runWhen: () => false },
import './setup/no-nest-log.js';
      ),
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  ['a response interceptor', ({ interceptors }) => interceptors.response.use((answer) => answer)],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'one of each for errors',
import './setup/no-nest-log.js';
    ({ interceptors }) => {
import './setup/no-nest-log.js';
      const rethrow = (error: unknown): never => {
import './setup/no-nest-log.js';
        throw error;
import './setup/no-nest-log.js';
      };
import './setup/no-nest-log.js';
      interceptors.request.use(undefined, rethrow);
import './setup/no-nest-log.js';
      interceptors.response.use(undefined, rethrow);
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  [
import './setup/no-nest-log.js';
    'interceptors that were removed',
import './setup/no-nest-log.js';
    ({ interceptors: { request, response } }) => {
import './setup/no-nest-log.js';
      const reject = (): never => {
import './setup/no-nest-log.js';
        throw new Error('removed');
import './setup/no-nest-log.js';
      };
import './setup/no-nest-log.js';
      request.eject(request.use(reject));
import './setup/no-nest-log.js';
      response.use(reject);
import './setup/no-nest-log.js';
      response.clear();
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  ],
import './setup/no-nest-log.js';
  ['defaults that were only read', ({ defaults }) => JSON.stringify(defaults)],
import './setup/no-nest-log.js';
  ['an empty default', ({ defaults }) => (defaults.headers.common = {})],
import './setup/no-nest-log.js';
];
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
/** What arrives for one call. */
import './setup/no-nest-log.js';
async function bytesOf(client: BackendClient, call: BackendCall): Promise<string[]> {
import './setup/no-nest-log.js';
  recorder.reset();
import './setup/no-nest-log.js';
  // An answer to HEAD has no JSON.
import './setup/no-nest-log.js';
  await client.call(call).catch((error: unknown) => {
import './setup/no-nest-log.js';
    if (call.method !== 'HEAD') throw error;
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
  return [...recorder.requests];
import './setup/no-nest-log.js';
}
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
describe('the same bytes arrive', () => {
import './setup/no-nest-log.js';
  /** By base path and call. */
import './setup/no-nest-log.js';
  const plain = new Map<string, string[]>();
import './setup/no-nest-log.js';
  const record = async (
import './setup/no-nest-log.js';
    basePath: string,
import './setup/no-nest-log.js';
    customize?: Customize,
import './setup/no-nest-log.js';
  ): Promise<Map<string, string[]>> => {
import './setup/no-nest-log.js';
    const client = await start(customize, { host: `${recorder.url}${basePath}` });
import './setup/no-nest-log.js';
    const recorded = new Map<string, string[]>();
import './setup/no-nest-log.js';
    for (const [name, call] of CALLS)
import './setup/no-nest-log.js';
      recorded.set(`${basePath} ${name}`, await bytesOf(client, call));
import './setup/no-nest-log.js';
    return recorded;
import './setup/no-nest-log.js';
  };
import './setup/no-nest-log.js';
  const BASE_PATHS = ['', '/base/'];
import './setup/no-nest-log.js';
  beforeAll(async () => {
import './setup/no-nest-log.js';
    for (const basePath of BASE_PATHS)
import './setup/no-nest-log.js';
      for (const [name, bytes] of await record(basePath)) plain.set(name, bytes);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('of each call, below the host', () => {
import './setup/no-nest-log.js';
    expect([...plain.values()].every(({ length }) => length === 1)).toBe(true);
import './setup/no-nest-log.js';
    expect(plain.get(' a path that looks like a host')?.[0]).toMatch(
import './setup/no-nest-log.js';
      /^GET \/evil\.example\/a HTTP/,
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    expect(plain.get('/base/ a path without a slash')?.[0]).toMatch(/^GET \/base\/a HTTP/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each(NO_OPS)('with %s', async (_name, customize) => {
import './setup/no-nest-log.js';
    for (const basePath of BASE_PATHS)
import './setup/no-nest-log.js';
      for (const [name, bytes] of await record(basePath, customize))
import './setup/no-nest-log.js';
        expect([name, bytes]).toEqual([name, plain.get(name)]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('but for the order of headers that are called like methods of axios', async () => {
import './setup/no-nest-log.js';
    const headers = { get: '1', common: '2', set: '3', delete: '4', has: '5', post: '6' };
import './setup/no-nest-log.js';
    const call = { ...post, from: from(headers) };
import './setup/no-nest-log.js';
    const lines = async (client: BackendClient): Promise<string[]> =>
import './setup/no-nest-log.js';
      (await bytesOf(client, call)).flatMap((text) => text.split('\r\n').toSorted());
import './setup/no-nest-log.js';
    const expected = await lines(await start());
import './setup/no-nest-log.js';
    expect(expected).toEqual(expect.arrayContaining(['get: 1', 'common: 2', 'has: 5']));
import './setup/no-nest-log.js';
    expect(await lines(await start(({ defaults }) => defaults))).toEqual(expected);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
const last = (): string => recorder.requests.at(-1) ?? '';
import './setup/no-nest-log.js';
describe('defaults', () => {
import './setup/no-nest-log.js';
  it('add headers to each request, or to those of a method', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => {
import './setup/no-nest-log.js';
      defaults.headers.common['X-Key'] = 'k1';
import './setup/no-nest-log.js';
      defaults.headers.post['X-Post'] = 'p1';
import './setup/no-nest-log.js';
      defaults.headers['X-Direct'] = 'd1';
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nx-key: k1\r\n/);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nx-direct: d1\r\n/);
import './setup/no-nest-log.js';
    expect(last()).not.toMatch(/x-post/i);
import './setup/no-nest-log.js';
    await client.call(post);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nx-key: k1\r\n/);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nx-post: p1\r\n/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may change after the first call', async () => {
import './setup/no-nest-log.js';
    const client = await start();
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).not.toMatch(/x-key/);
import './setup/no-nest-log.js';
    const { axiosRef } = (app as INestApplicationContext).get(HttpService);
import './setup/no-nest-log.js';
    for (const key of ['k1', 'k2']) {
import './setup/no-nest-log.js';
      axiosRef.defaults.headers.common['X-Key'] = key;
import './setup/no-nest-log.js';
      await client.call(get);
import './setup/no-nest-log.js';
      expect(last()).toContain(`\r\nx-key: ${key}\r\n`);
import './setup/no-nest-log.js';
    }
import './setup/no-nest-log.js';
    delete axiosRef.defaults.headers.common['X-Key'];
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).not.toMatch(/x-key/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('do not replace what a call says itself', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => {
import './setup/no-nest-log.js';
      defaults.baseURL = other.url;
import './setup/no-nest-log.js';
      defaults.url = '/other';
import './setup/no-nest-log.js';
      defaults.method = 'DELETE';
import './setup/no-nest-log.js';
      defaults.data = 'other';
import './setup/no-nest-log.js';
      defaults.headers.common['Accept-Encoding'] = 'gzip';
import './setup/no-nest-log.js';
      defaults.headers.common.Accept = 'text/html';
import './setup/no-nest-log.js';
      defaults.headers.post['Content-Type'] = 'text/plain';
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    await client.call(post);
import './setup/no-nest-log.js';
    const sent = last();
import './setup/no-nest-log.js';
    expect(sent).toMatch(/^POST \/base\/a HTTP/);
import './setup/no-nest-log.js';
    expect(sent.match(/^(?:accept|content-)[^\r]*/gm)?.toSorted()).toEqual([
import './setup/no-nest-log.js';
      'accept-encoding: identity',
import './setup/no-nest-log.js';
      'accept: application/json',
import './setup/no-nest-log.js';
      `content-length: ${JSON_BODY.length}`,
import './setup/no-nest-log.js';
      'content-type: application/json',
import './setup/no-nest-log.js';
    ]);
import './setup/no-nest-log.js';
    expect(Buffer.from(sent, 'latin1').subarray(-JSON_BODY.length)).toEqual(JSON_BODY);
import './setup/no-nest-log.js';
    expect(other.requests).toEqual([]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('declare no content where there is none', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => {
import './setup/no-nest-log.js';
      defaults.headers.post['Content-Type'] = 'text/plain';
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    await client.call({ method: 'POST', path: '/a' });
import './setup/no-nest-log.js';
    expect(last()).not.toMatch(/content-type/i);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('add parameters and credentials', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => {
import './setup/no-nest-log.js';
      defaults.params = { key: 'a b', list: [1, 2] };
import './setup/no-nest-log.js';
      defaults.auth = { username: 'u', password: 'p' };
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    await client.call({ path: '/a?x=1' });
import './setup/no-nest-log.js';
    expect(last()).toMatch(/^GET \/base\/a\?x=1&key=a\+b&list%5B%5D=1&list%5B%5D=2 HTTP/);
import './setup/no-nest-log.js';
    expect(last()).toContain(`\r\nauthorization: Basic ${btoa('u:p')}\r\n`);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('transform requests and responses', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => {
import './setup/no-nest-log.js';
      defaults.transformRequest = (data: Buffer) => data.toString().toUpperCase();
import './setup/no-nest-log.js';
      defaults.transformResponse = (data: Buffer) => ({
import './setup/no-nest-log.js';
        wrapped: JSON.parse(data.toString()) as object,
import './setup/no-nest-log.js';
      });
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    expect((await client.call(post)).body).toEqual({ wrapped: { ok: true } });
import './setup/no-nest-log.js';
    expect(last()).toContain('"N": 1E2}');
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([60_000, 0, -1, Infinity, NaN])(
import './setup/no-nest-log.js';
    'with timeout %d do not outlast the option',
import './setup/no-nest-log.js';
    async (timeout) => {
import './setup/no-nest-log.js';
      const client = await start(({ defaults }) => (defaults.timeout = timeout), SHORT);
import './setup/no-nest-log.js';
      recorder.answers = [undefined];
import './setup/no-nest-log.js';
      const started = performance.now();
import './setup/no-nest-log.js';
      await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
import './setup/no-nest-log.js';
      expect(performance.now() - started).toBeLessThan(SOON_MS);
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  );
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may wait for less time', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => (defaults.timeout = 20));
import './setup/no-nest-log.js';
    recorder.answers = [undefined];
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toMatchObject({
import './setup/no-nest-log.js';
      details: {
import './setup/no-nest-log.js';
        code: 'backend_timeout',
import './setup/no-nest-log.js';
        explanation: `no complete answer of ${recorder.url} within 20 ms`,
import './setup/no-nest-log.js';
      },
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([1e9, -1, Infinity])('with maxContentLength %d take no larger answer', async (bytes) => {
import './setup/no-nest-log.js';
    const client = await start(({ defaults }) => (defaults.maxContentLength = bytes));
import './setup/no-nest-log.js';
    recorder.answers = [http(200, JSON.stringify('x'.repeat(1000)))];
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toMatchObject({
import './setup/no-nest-log.js';
      details: { explanation: 'the answer is larger than 1000 bytes' },
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('of axios as a whole are for other servers', async () => {
import './setup/no-nest-log.js';
    axios.defaults.headers.common['X-Global'] = 'g';
import './setup/no-nest-log.js';
    axios.defaults.baseURL = other.url;
import './setup/no-nest-log.js';
    axios.defaults.params = { global: 'g' };
import './setup/no-nest-log.js';
    axios.defaults.auth = { username: 'global', password: 'g' };
import './setup/no-nest-log.js';
    try {
import './setup/no-nest-log.js';
      const client = await start(({ interceptors }) => interceptors.request.use((one) => one));
import './setup/no-nest-log.js';
      await client.call(get);
import './setup/no-nest-log.js';
      expect(last()).toMatch(/^GET \/base\/a HTTP/);
import './setup/no-nest-log.js';
      expect(last()).not.toMatch(/x-global|authorization/i);
import './setup/no-nest-log.js';
    } finally {
import './setup/no-nest-log.js';
      delete axios.defaults.headers.common['X-Global'];
import './setup/no-nest-log.js';
      for (const name of ['baseURL', 'params', 'auth'] as const) delete axios.defaults[name];
import './setup/no-nest-log.js';
    }
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may name another adapter', async () => {
import './setup/no-nest-log.js';
    const client = await start(
import './setup/no-nest-log.js';
      ({ defaults }) =>
import './setup/no-nest-log.js';
        (defaults.adapter = async (config) => ({
import './setup/no-nest-log.js';
          status: 200,
import './setup/no-nest-log.js';
          statusText: '',
import './setup/no-nest-log.js';
          headers: {},
import './setup/no-nest-log.js';
          data: '{"from":"adapter"}',
import './setup/no-nest-log.js';
          config,
import './setup/no-nest-log.js';
        })),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    expect((await client.call(get)).text).toBe('{"from":"adapter"}');
import './setup/no-nest-log.js';
    expect(recorder.requests).toEqual([]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
describe('request interceptors', () => {
import './setup/no-nest-log.js';
  it('change what is sent', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => {
import './setup/no-nest-log.js';
        expect([config.baseURL, config.url, config.method]).toEqual([
import './setup/no-nest-log.js';
          recorder.url,
import './setup/no-nest-log.js';
          '/base/a',
import './setup/no-nest-log.js';
          'post',
import './setup/no-nest-log.js';
        ]);
import './setup/no-nest-log.js';
        expect(config.data).toEqual(JSON_BODY);
import './setup/no-nest-log.js';
        config.headers.set('X-Added', 'yes');
import './setup/no-nest-log.js';
        config.headers.delete('accept');
import './setup/no-nest-log.js';
        config.headers.setContentType(false);
import './setup/no-nest-log.js';
        config.data = { made: 'of a value' };
import './setup/no-nest-log.js';
        config.url = '/changed';
import './setup/no-nest-log.js';
        return config;
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await client.call(post);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/^POST \/changed HTTP/);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nx-added: yes\r\n/);
import './setup/no-nest-log.js';
    expect(last()).not.toMatch(/\r\naccept:/i);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\n\r\n\{"made":"of a value"\}$/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([
import './setup/no-nest-log.js';
    [
import './setup/no-nest-log.js';
      'a form',
import './setup/no-nest-log.js';
      new URLSearchParams({ a: 'b c' }),
import './setup/no-nest-log.js';
      /content-type: application\/x-www-form-urlencoded;charset=utf-8\r\n[^]*\r\n\r\na=b\+c$/,
import './setup/no-nest-log.js';
    ],
import './setup/no-nest-log.js';
    ['a text', 'plain', /\r\n\r\nplain$/],
import './setup/no-nest-log.js';
    ['bytes', new Uint8Array([104, 105]), /\r\n\r\nhi$/],
import './setup/no-nest-log.js';
    ['nothing', undefined, /content-length: 0\r\n\r\n$/],
import './setup/no-nest-log.js';
  ])('may give %s as the body', async (_name, data, expected) => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => {
import './setup/no-nest-log.js';
        config.headers.delete('content-type');
import './setup/no-nest-log.js';
        config.data = data;
import './setup/no-nest-log.js';
        return config;
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await client.call(post);
import './setup/no-nest-log.js';
    expect(last()).toMatch(expected);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([
import './setup/no-nest-log.js';
    ['baseURL', () => ({ baseURL: other.url })],
import './setup/no-nest-log.js';
    ['url', () => ({ url: `${other.url}/base/a` })],
import './setup/no-nest-log.js';
  ])('may go elsewhere by %s', async (_name, change) => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => Object.assign(config, change())),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(recorder.requests).toEqual([]);
import './setup/no-nest-log.js';
    expect(other.requests[0]).toMatch(/^GET \/base\/a HTTP/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may be added and removed between calls', async () => {
import './setup/no-nest-log.js';
    const client = await start();
import './setup/no-nest-log.js';
    const { interceptors } = (app as INestApplicationContext).get(HttpService).axiosRef;
import './setup/no-nest-log.js';
    const use = (value: string): number =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => {
import './setup/no-nest-log.js';
        config.headers.set('x-added', value);
import './setup/no-nest-log.js';
        return config;
import './setup/no-nest-log.js';
      });
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    const plain = last();
import './setup/no-nest-log.js';
    const id = use('1');
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/x-added: 1/);
import './setup/no-nest-log.js';
    interceptors.request.eject(id);
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).toBe(plain);
import './setup/no-nest-log.js';
    use('2');
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/x-added: 2/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may refuse: the caller gets what they throw', async () => {
import './setup/no-nest-log.js';
    const refusal = new ForbiddenException('not today');
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use(() => {
import './setup/no-nest-log.js';
        throw refusal;
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toBe(refusal);
import './setup/no-nest-log.js';
    expect(recorder.requests).toEqual([]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may ask another server, whose refusal is not that of the backend', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }, { axiosRef }) =>
import './setup/no-nest-log.js';
      interceptors.request.use(async (config) => {
import './setup/no-nest-log.js';
        if (config.baseURL === undefined) return config;
import './setup/no-nest-log.js';
        const { data } = await axiosRef.post<Buffer>(`${other.url}/token`);
import './setup/no-nest-log.js';
        config.headers.set('authorization', data.toString());
import './setup/no-nest-log.js';
        return config;
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    other.answers = [http(200, 'token-1'), http(401, '{"of":"the other"}')];
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(last()).toMatch(/\r\nauthorization: token-1\r\n/);
import './setup/no-nest-log.js';
    const thrown: unknown = await client.call(get).catch((error: unknown) => error);
import './setup/no-nest-log.js';
    expect(isAxiosError(thrown) && thrown.response?.status).toBe(401);
import './setup/no-nest-log.js';
    expect(recorder.requests).toHaveLength(1);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may take no more time than the call has', async () => {
import './setup/no-nest-log.js';
    const client = await start(
import './setup/no-nest-log.js';
      ({ interceptors }) => interceptors.request.use(() => new Promise<never>(() => undefined)),
import './setup/no-nest-log.js';
      SHORT,
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
import './setup/no-nest-log.js';
    expect(client.stats.inFlight).toBe(0);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may bring a signal of their own', async () => {
import './setup/no-nest-log.js';
    const canceler = new AbortController();
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.request.use((config) => Object.assign(config, { signal: canceler.signal })),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    recorder.answers = [undefined];
import './setup/no-nest-log.js';
    const call = client.call(get);
import './setup/no-nest-log.js';
    await expect.poll(() => recorder.requests.length).toBe(1);
import './setup/no-nest-log.js';
    canceler.abort();
import './setup/no-nest-log.js';
    await expect(call).rejects.toMatchObject({
import './setup/no-nest-log.js';
      details: {
import './setup/no-nest-log.js';
        code: 'backend_unavailable',
import './setup/no-nest-log.js';
        explanation: 'the request was given up (ERR_CANCELED)',
import './setup/no-nest-log.js';
      },
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
describe('response interceptors', () => {
import './setup/no-nest-log.js';
  it('see the response, and change it', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.response.use((response) => {
import './setup/no-nest-log.js';
        expect(Buffer.isBuffer(response.data)).toBe(true);
import './setup/no-nest-log.js';
        expect(response.headers['content-type']).toBe('application/json');
import './setup/no-nest-log.js';
        response.status = 201;
import './setup/no-nest-log.js';
        response.data = { answer: JSON.parse((response.data as Buffer).toString()) as object };
import './setup/no-nest-log.js';
        return response;
import './setup/no-nest-log.js';
      }),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    const answer = await client.call(get);
import './setup/no-nest-log.js';
    expect([answer.status, answer.body]).toEqual([201, { answer: { ok: true } }]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('that return nothing are told so', async () => {
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
      interceptors.response.use(() => undefined as never),
import './setup/no-nest-log.js';
    );
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toThrow(/returned no response/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([
import './setup/no-nest-log.js';
    [401, BackendRefusedException],
import './setup/no-nest-log.js';
    [503, BackendFailedException],
import './setup/no-nest-log.js';
    [302, BackendBadResponseException],
import './setup/no-nest-log.js';
  ])(
import './setup/no-nest-log.js';
    'see status %d as an error with a response, which the caller gets as without them',
import './setup/no-nest-log.js';
    async (status, kind) => {
import './setup/no-nest-log.js';
      const refused = http(status, '{"why":"so"}', 'Www-Authenticate: Basic\r\n');
import './setup/no-nest-log.js';
      recorder.answers = [refused, refused];
import './setup/no-nest-log.js';
      const plain: unknown = await (await start()).call(get).catch((error: unknown) => error);
import './setup/no-nest-log.js';
      const seen: unknown[] = [];
import './setup/no-nest-log.js';
      const client = await start(({ interceptors }) =>
import './setup/no-nest-log.js';
        interceptors.response.use(undefined, (error: AxiosError) => {
import './setup/no-nest-log.js';
          seen.push(error.response?.status, String(error.response?.data), error.config?.url);
import './setup/no-nest-log.js';
          throw error;
import './setup/no-nest-log.js';
        }),
import './setup/no-nest-log.js';
      );
import './setup/no-nest-log.js';
      const thrown: unknown = await client.call(get).catch((error: unknown) => error);
import './setup/no-nest-log.js';
      expect(seen).toEqual([status, '{"why":"so"}', '/base/a']);
import './setup/no-nest-log.js';
      expect(thrown).toBeInstanceOf(kind);
import './setup/no-nest-log.js';
      expect(thrown).toEqual(plain);
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  );
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it.each([
import './setup/no-nest-log.js';
    ['nobody listens', { host: 'http://127.0.0.1:1' }, BackendUnavailableException, 'ERR_NETWORK'],
import './setup/no-nest-log.js';
    ['nothing comes', {}, BackendTimeoutException, 'ETIMEDOUT'],
import './setup/no-nest-log.js';
    ['too much comes', { maxBodyBytes: 1 }, BackendBadResponseException, 'ERR_BAD_RESPONSE'],
import './setup/no-nest-log.js';
  ])(
import './setup/no-nest-log.js';
    'see the exception of the client as the cause where %s',
import './setup/no-nest-log.js';
    async (_name, options, kind, code) => {
import './setup/no-nest-log.js';
      if (code === 'ETIMEDOUT') recorder.answers = [undefined];
import './setup/no-nest-log.js';
      let seen: AxiosError | undefined;
import './setup/no-nest-log.js';
      const client = await start(({ interceptors, defaults }) => {
import './setup/no-nest-log.js';
        if (code === 'ETIMEDOUT') defaults.timeout = 50;
import './setup/no-nest-log.js';
        interceptors.response.use(undefined, (error: AxiosError) => {
import './setup/no-nest-log.js';
          seen = error;
import './setup/no-nest-log.js';
          throw error;
import './setup/no-nest-log.js';
        });
import './setup/no-nest-log.js';
      }, options);
import './setup/no-nest-log.js';
      const thrown: unknown = await client.call(get).catch((error: unknown) => error);
import './setup/no-nest-log.js';
      expect(thrown).toBeInstanceOf(kind);
import './setup/no-nest-log.js';
      expect(isAxiosError(seen)).toBe(true);
import './setup/no-nest-log.js';
      expect([seen?.code, seen?.cause, seen?.response]).toEqual([code, thrown, undefined]);
import './setup/no-nest-log.js';
      expect(seen?.config?.method).toBe('get');
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  );
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('retry: one call for whoever counts, with one deadline', async () => {
import './setup/no-nest-log.js';
    const outcomes: string[] = [];
import './setup/no-nest-log.js';
    const retrying = ({ interceptors }: AxiosInstance, { axiosRef }: HttpService): unknown =>
import './setup/no-nest-log.js';
      interceptors.response.use(undefined, (error: AxiosError) =>
import './setup/no-nest-log.js';
        axiosRef.request(error.config ?? {}),
import './setup/no-nest-log.js';
      );
import './setup/no-nest-log.js';
    let client = await start(retrying);
import './setup/no-nest-log.js';
    client.onCall((outcome) => outcomes.push(outcome));
import './setup/no-nest-log.js';
    recorder.answers = [http(503, '{}'), http(503, '{}'), http(200, '{"third":1}')];
import './setup/no-nest-log.js';
    expect((await client.call(post)).body).toEqual({ third: 1 });
import './setup/no-nest-log.js';
    expect(recorder.requests).toHaveLength(3);
import './setup/no-nest-log.js';
    expect(new Set(recorder.requests).size).toBe(1);
import './setup/no-nest-log.js';
    expect(outcomes).toEqual(['answered']);
import './setup/no-nest-log.js';
    client = await start(retrying, SHORT);
import './setup/no-nest-log.js';
    client.onCall((outcome) => outcomes.push(outcome));
import './setup/no-nest-log.js';
    recorder.answers = Array.from({ length: 100_000 }, () => http(503, '{}'));
import './setup/no-nest-log.js';
    const started = performance.now();
import './setup/no-nest-log.js';
    await expect(client.call(get)).rejects.toBeInstanceOf(BackendTimeoutException);
import './setup/no-nest-log.js';
    expect(performance.now() - started).toBeLessThan(SOON_MS);
import './setup/no-nest-log.js';
    const { length } = recorder.requests;
import './setup/no-nest-log.js';
    await new Promise((resolve) => setTimeout(resolve, 50));
import './setup/no-nest-log.js';
    // One may have been on its way.
import './setup/no-nest-log.js';
    expect(recorder.requests.length - length).toBeLessThanOrEqual(1);
import './setup/no-nest-log.js';
    expect(outcomes).toEqual(['answered', 'timeout']);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('get a new token for the backend when it refuses the old one', async () => {
import './setup/no-nest-log.js';
    let token = 'old';
import './setup/no-nest-log.js';
    const client = await start(({ interceptors }, { axiosRef }) => {
import './setup/no-nest-log.js';
      interceptors.request.use((config) => {
import './setup/no-nest-log.js';
        config.headers.set('authorization', token);
import './setup/no-nest-log.js';
        return config;
import './setup/no-nest-log.js';
      });
import './setup/no-nest-log.js';
      interceptors.response.use(undefined, (error: AxiosError) => {
import './setup/no-nest-log.js';
        if (error.response?.status !== 401 || token === 'new') throw error;
import './setup/no-nest-log.js';
        token = 'new';
import './setup/no-nest-log.js';
        return axiosRef.request(error.config ?? {});
import './setup/no-nest-log.js';
      });
import './setup/no-nest-log.js';
    });
import './setup/no-nest-log.js';
    recorder.answers = [http(401, '{}')];
import './setup/no-nest-log.js';
    expect((await client.call(get)).status).toBe(200);
import './setup/no-nest-log.js';
    expect(recorder.requests.map((text) => /authorization: (\w+)/.exec(text)?.[1])).toEqual([
import './setup/no-nest-log.js';
      'old',
import './setup/no-nest-log.js';
      'new',
import './setup/no-nest-log.js';
    ]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
describe('HttpService', () => {
import './setup/no-nest-log.js';
  it('is passed by until somebody takes axios out of it', async () => {
import './setup/no-nest-log.js';
    const request = vi.spyOn(Axios.prototype, 'request');
import './setup/no-nest-log.js';
    const client = await start();
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(request).not.toHaveBeenCalled();
import './setup/no-nest-log.js';
    expect((app as INestApplicationContext).get(HttpService).axiosRef).toBeTypeOf('function');
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(request).toHaveBeenCalledOnce();
import './setup/no-nest-log.js';
    request.mockRestore();
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('calls a method that somebody replaced', async () => {
import './setup/no-nest-log.js';
    let request: MockInstance | undefined;
import './setup/no-nest-log.js';
    const client = await start((instance) => (request = vi.spyOn(instance, 'request')));
import './setup/no-nest-log.js';
    await client.call(get);
import './setup/no-nest-log.js';
    expect(request).toHaveBeenCalledOnce();
import './setup/no-nest-log.js';
    expect(last()).toMatch(/^GET \/base\/a HTTP/);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('may be another one in a test', async () => {
import './setup/no-nest-log.js';
    const adapter = async () => ({ status: 200, statusText: '', headers: {}, data: '{"mock":1}' });
import './setup/no-nest-log.js';
    app = await Test.createTestingModule({
import './setup/no-nest-log.js';
      imports: [BackendModule.forRoot({ host: recorder.url })],
import './setup/no-nest-log.js';
    })
import './setup/no-nest-log.js';
      .overrideProvider(HttpService)
import './setup/no-nest-log.js';
      .useValue(new HttpService(create({ adapter: adapter as never })))
import './setup/no-nest-log.js';
      .compile();
import './setup/no-nest-log.js';
    expect((await app.get(BackendClient).call(get)).body).toEqual({ mock: 1 });
import './setup/no-nest-log.js';
    expect(recorder.requests).toEqual([]);
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
  it('is for other requests, too, within the same limits', async () => {
import './setup/no-nest-log.js';
    await start(undefined, { timeoutMs: 2000 });
import './setup/no-nest-log.js';
    const { axiosRef } = (app as INestApplicationContext).get(HttpService);
import './setup/no-nest-log.js';
    const { data } = await axiosRef.get<Buffer>(`${other.url}?a=b`, { params: { c: 'd' } });
import './setup/no-nest-log.js';
    expect(data.toString()).toBe('{"ok":true}');
import './setup/no-nest-log.js';
    expect(other.requests[0]).toMatch(/^GET \/\?a=b&c=d HTTP/);
import './setup/no-nest-log.js';
    other.answers = [undefined];
import './setup/no-nest-log.js';
    const late = axiosRef.get(other.url, { timeout: 60_000 });
import './setup/no-nest-log.js';
    await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT' });
import './setup/no-nest-log.js';
    await expect(axiosRef.get('ftp://host/')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
import './setup/no-nest-log.js';
    await expect(axiosRef.get('/no-host')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
import './setup/no-nest-log.js';
  });
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';

import './setup/no-nest-log.js';
it('works as the documentation of BackendClient shows it', async () => {
import './setup/no-nest-log.js';
  const source = readFileSync('src/backend/backend-client.service.ts', 'utf8');
import './setup/no-nest-log.js';
  const [, block = ''] = /@example\n \* ```ts\n(.*?) \* ```/s.exec(source) ?? [];
import './setup/no-nest-log.js';
  const example = block.replaceAll(/^ \* ?/gm, '');
import './setup/no-nest-log.js';
  const imports = [
import './setup/no-nest-log.js';
    "import { Module } from '@nestjs/common';",
import './setup/no-nest-log.js';
    "import { HttpService } from '@nestjs/axios';",
import './setup/no-nest-log.js';
    "import type { AxiosError } from 'axios';",
import './setup/no-nest-log.js';
  ];
import './setup/no-nest-log.js';
  const door = "import { BackendModule, BackendUnavailableException } from './backend/index.js';";
import './setup/no-nest-log.js';
  const { outputText } = ts.transpileModule(
import './setup/no-nest-log.js';
    [...imports, door, example.replace('https://login.internal', recorder.url)].join('\n'),
import './setup/no-nest-log.js';
    {
import './setup/no-nest-log.js';
      compilerOptions: {
import './setup/no-nest-log.js';
        module: ts.ModuleKind.CommonJS,
import './setup/no-nest-log.js';
        target: ts.ScriptTarget.ES2024,
import './setup/no-nest-log.js';
        experimentalDecorators: true,
import './setup/no-nest-log.js';
        emitDecoratorMetadata: true,
import './setup/no-nest-log.js';
      },
import './setup/no-nest-log.js';
    },
import './setup/no-nest-log.js';
  );
import './setup/no-nest-log.js';
  const nodeRequire = createRequire(import.meta.url);
import './setup/no-nest-log.js';
  const exported: { AppModule?: new () => unknown } = {};
import './setup/no-nest-log.js';
  compileFunction(outputText, ['require', 'exports'])(
import './setup/no-nest-log.js';
    (name: string): unknown =>
import './setup/no-nest-log.js';
      name.startsWith('.') ? { BackendModule, BackendUnavailableException } : nodeRequire(name),
import './setup/no-nest-log.js';
    exported,
import './setup/no-nest-log.js';
  );
import './setup/no-nest-log.js';
  app = await Test.createTestingModule({ imports: [exported.AppModule as never] }).compile();
import './setup/no-nest-log.js';
  const client = app.get(BackendClient, { strict: false });
import './setup/no-nest-log.js';
  recorder.answers = [http(503, '{}')];
import './setup/no-nest-log.js';
  expect((await client.call(get)).status).toBe(200);
import './setup/no-nest-log.js';
  expect(recorder.requests).toHaveLength(2);
import './setup/no-nest-log.js';
  expect(recorder.requests.every((text) => /\r\nx-api-key: secret\r\n/.test(text))).toBe(true);
import './setup/no-nest-log.js';
  recorder.answers = [http(503, '{}'), http(503, '{}')];
import './setup/no-nest-log.js';
  await expect(client.call(get)).rejects.toBeInstanceOf(BackendFailedException);
import './setup/no-nest-log.js';
  recorder.answers = [http(503, '{}')];
import './setup/no-nest-log.js';
  await expect(client.call(post)).rejects.toBeInstanceOf(BackendFailedException);
import './setup/no-nest-log.js';
  expect(recorder.requests).toHaveLength(5);
import './setup/no-nest-log.js';
});
import './setup/no-nest-log.js';
