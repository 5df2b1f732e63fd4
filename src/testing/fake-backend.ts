import { answerDemo, startServer, type RunningBackend } from '../demo/index.js';

/** An answer of the fake backend. */
export interface FakeAnswer {
  /** HTTP status. Default 200. */
  status?: number;
  /** Headers. Default: `Content-Type: application/json`. */
  headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. Default `{}`. */
  body?: unknown;
}

/** A request that the fake backend received. */
export interface SeenCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Headers by name, in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** A backend on a free port of 127.0.0.1, with answers that the test sets. */
export interface FakeBackend extends RunningBackend {
  /** All requests so far, the oldest first. */
  readonly calls: readonly SeenCall[];
  /** Sets the answer of a path, which may have a query. */
  answer(path: string, answer: FakeAnswer): void;
}

/**
 * Starts a backend for tests. Paths without an answer are answered by the demo backend: claims at `/token.json`, a user
 * below `/user/`, 404 for the rest.
 *
 * @param answers answers by path
 *
 * @example
 * ```ts
 * const backend = await startFakeBackend({ '/orders': { body: [{ id: 7 }] } });
 * // imports: [BackendModule.forRoot({ host: backend.url })]
 * await backend.close();
 * ```
 */
export async function startFakeBackend(
  answers: Readonly<Record<string, FakeAnswer>> = {},
): Promise<FakeBackend> {
  const byPath = new Map(Object.entries(answers));
  const calls: SeenCall[] = [];
  const running = await startServer((request, body, response) => {
    const { method = '', url = '', headers } = request;
    calls.push({ method, url, headers, body });
    const answer = byPath.get(url) ?? byPath.get(url.split('?', 1)[0] ?? '');
    if (answer === undefined) answerDemo(request, body, response);
    else {
      const { status = 200, headers: given = {}, body: content = {} } = answer;
      response.setHeader('Content-Type', 'application/json');
      response
        .writeHead(status, given)
        .end(typeof content === 'string' ? content : JSON.stringify(content));
    }
  });
  return { ...running, calls, answer: (path, answer) => void byPath.set(path, answer) };
}
