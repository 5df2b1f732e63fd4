import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { create, type AxiosInstance } from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BackendBadResponseException,
  BackendTimeoutException,
  BackendUnavailableException,
} from './backend.exceptions.js';
import { sendRequest } from './send-request.js';
import { BackendTransport } from './backend-transport.js';

const transport = new BackendTransport({});
let server: Server;
let baseURL: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/echo') response.end(JSON.stringify(request.headers));
    else if (request.url === '/large') response.end('x'.repeat(2000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await transport.onApplicationShutdown();
  server.closeAllConnections();
  server.close();
});

const plain = (): AxiosInstance => create({ adapter: transport.adapter });
const intercepted = (): AxiosInstance => {
  const axios = plain();
  axios.interceptors.request.use((config) => {
    config.headers.set('x-added', 'yes');
    return config;
  });
  return axios;
};

describe.each([
  ['without interceptors', plain, undefined],
  ['with an interceptor of a team', intercepted, 'yes'],
])('a request %s', (_name, makeAxios, added) => {
  const send = (url: string, origin = baseURL, timeout = 10_000) =>
    sendRequest(makeAxios(), {
      baseURL: origin,
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      data: undefined,
      timeout,
      maxContentLength: 1000,
    });

  it('arrives, with what the interceptor adds', async () => {
    const { status, data } = await send('/echo');
    const headers = JSON.parse(data.toString()) as Record<string, string>;
    expect([status, headers['x-added'], headers['content-type']]).toEqual([200, added, undefined]);
  });

  it('fails with the exception that says why', async () => {
    await expect(send('/', 'http://127.0.0.1:1')).rejects.toBeInstanceOf(
      BackendUnavailableException,
    );
    await expect(send('/hang', baseURL, 200)).rejects.toBeInstanceOf(BackendTimeoutException);
    await expect(send('/large')).rejects.toBeInstanceOf(BackendBadResponseException);
  });
});
