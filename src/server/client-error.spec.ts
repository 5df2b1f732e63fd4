import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerClientError } from './index.js';

const methodsOf = (path: string): string[] => (path === '/a' ? ['GET', 'HEAD'] : []);
let server: Server;
let codes: (string | undefined)[] = [];
beforeAll(async () => {
  const limits = { maxHeaderSize: 1024, headersTimeout: 100, connectionsCheckingInterval: 20 };
  server = createServer({ ...limits, requestTimeout: 100 }, (request, response) => {
    if (request.url === '/early') response.write('begun');
    if (request.url === '/refused') response.end('refused');
    request.resume().on('end', () => {
      if (request.url === '/slow') void setTimeout(50).then(() => response.end('slow'));
      else response.end(request.url);
    });
  })
    .on('clientError', (error, socket) =>
      codes.push(answerClientError(error, socket as Socket, methodsOf)),
    )
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => void (codes = []));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** All that comes back for a text, or for several packets, until the server closes. */
async function exchange(...packets: string[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay();
  for (const packet of packets) {
    socket.write(packet);
    await setTimeout(10);
  }
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  await once(socket, 'close');
  return answer;
}

const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\n';

describe('answerClientError', () => {
  it.each([
    ['no HTTP', 'garbage\r\n\r\n', 400, 'request_malformed'],
    [
      'two lengths',
      `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
      'request_malformed',
    ],
    ['a large head', `${HEAD}X: ${'y'.repeat(2000)}\r\n\r\n`, 431, 'headers_too_large'],
    [
      'large chunk extensions',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
      413,
      'body_too_large',
    ],
    ['half a head', HEAD, 408, 'request_timeout'],
    ['half a body', `${HEAD}Content-Length: 9\r\n\r\nx`, 408, 'request_timeout'],
  ])('for %s', async (_what, text, status, code) => {
    const [head = '', body = ''] = (await exchange(text)).split('\r\n\r\n');
    const [line, ...headers] = head.split('\r\n');
    expect(line).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
    const { request_id: id, ...rest } = JSON.parse(body) as Record<string, unknown>;
    expect(rest).toEqual({
      error: 'invalid_request',
      error_description: line?.slice(13),
      code,
    });
    expect(headers.toSorted()).toEqual(
      [
        'Cache-Control: no-store',
        'Connection: close',
        `Content-Length: ${body.length}`,
        'Content-Type: application/json; charset=utf-8',
        'X-Content-Type-Options: nosniff',
        `X-Request-Id: ${String(id)}`,
      ].toSorted(),
    );
    expect(codes.filter((one) => one !== undefined)).toEqual([code]);
  });

  it.each([
    ['FOO /a HTTP/1.1', 405, 'GET, HEAD'],
    ['get /a?b=/c HTTP/1.1', 405, 'GET, HEAD'],
    ['FOO /b HTTP/1.1', 400, undefined],
    ['FOO a HTTP/1.1', 400, undefined],
    ['FOO /a HTTP/9.9', 400, undefined],
    ['FO(O /a HTTP/1.1', 400, undefined],
    [`${'F'.repeat(9000)} /a HTTP/1.1`, 400, undefined],
  ])('says what a path allows, where a method is unknown: %s', async (line, status, allow) => {
    const answer = await exchange(`${line}\r\nHost: x\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(/^Allow: (.*)\r$/m.exec(answer)?.[1]).toBe(allow);
  });

  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const chunked = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk`;
  const LENGTH = 'POST /l HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabc';
  it.each([
    ['one', [`${get('/a')}garbage\r\n\r\n`], ['200 /a', '400']],
    ['two', [`${get('/a')}${get('/b')}garbage\r\n\r\n`], ['200 /a', '200 /b', '400']],
    ['a slow one', [`${get('/slow')}${get('/b')}x\r\n\r\n`], ['200 slow', '200 /b', '400']],
    ['one with more garbage', [`${get('/slow')}x\r\n\r\n`, 'y\r\n\r\n'], ['200 slow', '400']],
    ['a body too short', [LENGTH], ['200 /l', '400']],
    ['one that is slower than its successor', [`${get('/slow')}POST`], ['200 slow', '408']],
    ['the last one', [`${get('/a', 'Connection: close\r\n')}x\r\n\r\n`], ['200 /a']],
    ['one before a broken body', [get('/a') + chunked('/c')], ['200 /a', '400']],
    ['a refused one with a broken body', [chunked('/refused')], ['200 refused', '400']],
    [
      'one that is answered while its body breaks',
      [get('/a') + chunked('/early')],
      ['200 /a', '200 begun'],
    ],
    ['one before an unknown method', [`${get('/b')}FOO /a HTTP/1.1\r\n\r\n`], ['200 /b', '405']],
  ])('comes behind the answers to good requests: %s', async (_what, packets, expected) => {
    const answers = (await exchange(...packets)).split(/(?=HTTP\/1\.1 )/);
    expect(
      answers.map((answer) => {
        const [, status, body = ''] =
          /^HTTP\/1\.1 (\d+)[^]*?\r\n\r\n(?:[\da-f]+\r\n)?([^\r]*)/.exec(answer) ?? [];
        return status === '200' ? `200 ${body}` : status;
      }),
    ).toEqual(expected);
    expect(codes.filter((code) => code !== undefined)).toHaveLength(1);
  });

  it('says nothing to a client that is gone', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).write(HEAD);
    await once(server, 'connection');
    socket.resetAndDestroy();
    await expect.poll(() => codes).toEqual([undefined]);
  });
});
