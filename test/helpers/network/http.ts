import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  text: string;
  /** The body as a JSON object. */
  json: Record<string, unknown>;
  /** From the request to the last byte of the answer. */
  ms: number;
}

const parse = (text: string): Record<string, unknown> =>
  (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;

/** One request over `fetch`; redirects are not followed. */
export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const start = performance.now();
  const { status, headers, ...rest } = await fetch(url, { redirect: 'manual', ...init }).then(
    async (response) => ({
      status: response.status,
      headers: response.headers,
      bytes: Buffer.from(await response.arrayBuffer()),
    }),
  );
  const ms = performance.now() - start;
  // What the backend saw came through its pipe before the answer came; it is read by then, too.
  await setImmediate();
  const text = rest.bytes.toString();
  return { status, headers, ...rest, text, json: parse(text), ms };
}

/** `GET` with a bearer token. */
export const callWith = (url: string, token: string): Promise<Answer> =>
  call(url, { headers: { authorization: `Bearer ${token}` } });

/** Bytes as they are, over a socket; resolves when the server has closed the connection. */
export async function exchange(url: string, ...parts: (string | Buffer)[]): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const start = performance.now();
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    // What is still being sent when the server closes is answered with a reset.
    socket.on('error', (error) => (chunks.length > 0 ? undefined : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.on('end', () => socket.end());
  });
  const ms = performance.now() - start;
  const split = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = bytes.subarray(0, split).toString().split('\r\n');
  const body = bytes.subarray(split + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Headers(
      fields.map((field): [string, string] => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1).trim()];
      }),
    ),
    bytes: body,
    text: body.toString(),
    json: parse(body.toString()),
    ms,
  };
}

/** Asserts the one shape of all error answers, with the request id in header and body. */
export function expectError(answer: Answer, status: number, code: string, error?: string): void {
  expect([answer.status, answer.json.code, answer.text.length > 0]).toEqual([status, code, true]);
  const names = ['error', 'error_description', 'code', 'request_id'];
  expect(Object.keys(answer.json)).toEqual(
    answer.json.error === undefined ? names.slice(1) : names,
  );
  if (error !== undefined) expect(answer.json.error).toBe(error);
  expect(answer.json.error_description).toEqual(expect.any(String));
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-request-id')).toMatch(/^[\w.:+/=@-]{1,128}$/);
  expect(answer.json.request_id).toBe(answer.headers.get('x-request-id'));
}
