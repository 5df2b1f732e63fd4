import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterFile } from '../run/resources.js';

/** A request as it arrived. */
export interface Recorded {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Answers a request whose body was read. */
export type Answering = (response: ServerResponse, request: IncomingMessage) => void;

/** A backend in this process that records what it gets. */
export interface RecordingBackend {
  url: string;
  /** All requests whose body was complete. */
  seen: Recorded[];
  /** How it answers from now on. */
  answers(answering: Answering): void;
}

export const OK: Answering = (response) => {
  response.setHeader('Content-Type', 'application/json').end('{"ok":true}');
};

/** Starts a {@link RecordingBackend}, which ends with the test file. */
export async function startRecordingBackend(): Promise<RecordingBackend> {
  const seen: Recorded[] = [];
  let answering = OK;
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    response.on('error', () => undefined);
    if (headers['x-early'] !== undefined) return answering(response, request);
    buffer(request)
      .then((body) => {
        seen.push({ method, url, headers, body });
        return answering(response, request);
      })
      .catch(() => undefined);
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterFile(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answers: (next) => (answering = next),
  };
}

/** A request as a client writes it. */
export interface Sending {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: Buffer;
}

/** An answer as it came, nothing decoded. */
export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends a request, bytes as they are; with a body and no length in chunks. */
export async function send(
  url: string,
  { method = 'GET', headers = {}, body }: Sending = {},
): Promise<Received> {
  // An answer may come, and the connection be closed, before all of it is sent.
  const request = httpRequest(url, { method, headers, agent: false });
  request.once('response', () => request.on('error', () => undefined));
  if (body !== undefined)
    for (let at = 0; at < body.length; at += 100_000)
      request.write(body.subarray(at, at + 100_000));
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await buffer(response),
  };
}
