import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerClientError } from './index.js';

const methodsOf = (path: string): string[] => (path === '/a' ? ['GET', 'HEAD'] : []);
let server: Server;
let codes: (string | undefined)[] = [];
beforeAll(async () => {
  const limits = { maxHeaderSize: 1024, headersTimeout: 100, connectionsCheckingInterval: 20 };
  server = createServer({ ...limits, requestTimeout: 100 }, (request, response) => {
    request.resume().on('end', () => response.end('ok'));
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

/** All that comes back for a text, until the server closes. */
async function exchange(text: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(text);
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

  it('says nothing to a client that is gone', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).write(HEAD);
    await once(server, 'connection');
    socket.resetAndDestroy();
    await expect.poll(() => codes).toEqual([undefined]);
  });
});
