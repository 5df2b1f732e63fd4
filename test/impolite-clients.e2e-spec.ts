// Clients that hang up, write on, pipeline, or speak half of HTTP. None of it costs an answer, or others theirs.
import { once } from 'node:events';
import { request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, exchange, expectError } from './helpers/network/http.js';
import { metricOf } from './helpers/gateway/processes.js';

let gateway: Gateway;
let host: string;
beforeAll(async () => {
  gateway = await hostGateway({ THROTTLE_LIMIT: '0' });
  ({ host } = new URL(gateway.url));
});

/** A connection, and what came over it. */
async function open(): Promise<{ socket: Socket; text: () => string }> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  return { socket, text: () => text };
}
const post = (...lines: string[]): string =>
  ['POST /token HTTP/1.1', `Host: ${host}`, ...lines, '', ''].join('\r\n');
const JSON_TYPE = 'Content-Type: application/json';

describe('Expect: 100-continue', () => {
  it('with a body that is too large gets no 100, but 413', async () => {
    const answer = await exchange(
      gateway.url,
      post(JSON_TYPE, 'Content-Length: 1000000000', 'Expect: 100-continue'),
    );
    expectError(answer, 413, 'body_too_large');
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('to a route that reads no body gets no 100, and the end of the connection', async () => {
    const lines = [`Host: ${host}`, 'Content-Length: 5', 'Expect: 100-continue'];
    const answer = await exchange(
      gateway.url,
      `POST /private/custom HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`,
    );
    expectError(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('with a good body gets 100, sends it, and goes on over the connection', async () => {
    const { socket, text } = await open();
    const body = '{"username":"alice","password":"wonderland"}';
    for (const round of [1, 2]) {
      socket.write(post(JSON_TYPE, `Content-Length: ${body.length}`, 'Expect: 100-continue'));
      await expect.poll(() => text().match(/HTTP\/1.1 100 Continue\r\n\r\n/g)).toHaveLength(round);
      expect(text().match(/HTTP\/1.1 [2-5]/g) ?? []).toHaveLength(round - 1);
      socket.write(body);
      await expect.poll(() => text().match(/HTTP\/1.1 [2-5]\d\d /g)).toHaveLength(round);
    }
    expect(text()).toContain('Connection: keep-alive');
    socket.destroy();
  });
});

it('CONNECT is told that this is no proxy', async () => {
  const answer = await exchange(gateway.url, 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n');
  expectError(answer, 405, 'method_not_allowed', 'invalid_request');
  expect(answer.headers.get('allow')).toBe('');
});

describe('a good request', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['a header that is too large', `GET / HTTP/1.1\r\nX: ${'y'.repeat(60_000)}\r\n\r\n`, 431],
  ])('with %s behind it in one packet is answered', async (_what, rest, status) => {
    const { socket, text } = await open();
    socket.write(`${post('Content-Length: 0', 'X-Request-Id: good')}${rest}`);
    await once(socket, 'end');
    socket.end();
    const [first = '', second = ''] = text().split(/(?=HTTP\/1.1 )/);
    expect(first).toMatch(/^HTTP\/1.1 200 [^]*X-Request-Id: good[^]*"access_token":"eyJ/);
    expect(second).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*X-Request-Id: [^]*"request_id":`));
  });
});

describe('a body', () => {
  it('that is too large is answered while the client writes on', async () => {
    const { hostname, port } = new URL(gateway.url);
    const seen = new Set<string>();
    for (let round = 0; round < 10; round++)
      await new Promise<void>((done) => {
        const request = send({ hostname, port, path: '/token', method: 'POST' }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.on('end', () => {
            seen.add(`${answer.statusCode} ${(JSON.parse(text) as { code: string }).code}`);
            request.destroy();
            done();
          });
        });
        request.on('error', (error) => {
          seen.add(String(error));
          done();
        });
        request.setHeader('Content-Type', 'application/json');
        const chunk = Buffer.alloc(65_536, 'x');
        // 16 MB, whatever is said.
        const write = (left: number): void => {
          if (left === 0) request.end();
          else if (request.write(chunk)) write(left - 1);
          else request.once('drain', () => write(left - 1));
        };
        write(256);
      });
    expect([...seen]).toEqual(['413 body_too_large']);
  });

  it('that breaks off is no error', async () => {
    const before = gateway.log().length;
    const { socket } = await open();
    socket.write(`${post(JSON_TYPE, 'Content-Length: 100')}{"a"`);
    await new Promise((next) => setTimeout(next, 50));
    socket.destroy();
    await expect
      .poll(() =>
        gateway
          .log()
          .slice(before)
          .find(({ aborted }) => aborted === true),
      )
      .toMatchObject({ msg: 'request', status: 499 });
    const errors = gateway
      .log()
      .slice(before)
      .filter(({ level }) => Number(level) >= 50);
    expect(errors).toEqual([]);
  });
});

it('F66 a connection that pipelines 20,000 requests is closed, and nobody waits for it', async () => {
  const others = async (): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      expect((await call(`${gateway.url}/private/custom`)).status).toBe(401);
    }
  };
  await others();
  const { socket } = await open();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(post('Content-Length: 0').repeat(20_000));
  await others();
  await closed;
  const metrics = await gateway.metrics();
  expect(metricOf(metrics, 'signet_refusals_total', 'requests_pipelined')).toBe(1);
});
