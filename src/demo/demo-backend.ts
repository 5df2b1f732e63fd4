import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { login, refreshSession } from './login.js';

/** A backend that is running. */
export interface RunningBackend {
  /** Base URL, for `BACKEND_HOST`. */
  url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;

/** Answers one request. @param body the whole request body */
type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/**
 * Starts the demo backend on a free port of 127.0.0.1. `/token.json` and `/refresh.json` answer claims, `/user/1.json`
 * answers a user. It is for development and tests, and no example of a secure login.
 */
export const startDemoBackend = (): Promise<RunningBackend> => startServer(answerDemo);

/** Starts a server on a free port of 127.0.0.1 that answers all requests with `answer`. */
export async function startServer(answer: Answer): Promise<RunningBackend> {
  const server = createServer((request, response) => {
    read(request)
      .then((body) => answer(request, body, response))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers a request as the demo backend. */
export function answerDemo(request: IncomingMessage, body: string, response: ServerResponse): void {
  const [path] = (request.url ?? '/').split('?', 1);
  if (path === '/token.json') {
    const { status, answer: claims } = login(
      request.headers['content-type'],
      body,
      request.headers.authorization,
    );
    send(response, status, claims);
  } else if (path === '/refresh.json') {
    const { status, answer: claims } = refreshSession(body, request.headers.authorization);
    send(response, status, claims);
  } else if (path?.startsWith('/user/')) {
    send(response, 200, { id: 1, name: 'Alice Demo', email: 'alice@example.com' });
  } else send(response, 404, { error: 'not_found' });
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request as AsyncIterable<Buffer>)
    if (body.length < MAX_BODY_BYTES) body += chunk.toString();
  return body;
}

function send(response: ServerResponse, status: number, body: object): void {
  const headers = { 'Content-Type': 'application/json' };
  response
    .writeHead(
      status,
      status === 401 ? { ...headers, 'WWW-Authenticate': 'Basic realm="demo"' } : headers,
    )
    .end(JSON.stringify(body));
}
