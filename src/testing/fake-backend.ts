import { answerDemo, startServer, type RunningBackend } from '../demo/index.js';

/** What the fake backend answers to a path; anything but a string is sent as JSON. */
export interface FakeAnswer {
  /** Default 200. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}

/** A call that the fake backend got. */
export interface SeenCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** A backend on a free port of this machine, which answers as it is told. */
export interface FakeBackend extends RunningBackend {
  /** All calls so far, the oldest first. */
  readonly calls: readonly SeenCall[];
  /** Sets the answer to a path, which may have a query. */
  answer(path: string, answer: FakeAnswer): void;
}

/**
 * Starts a backend for tests. Paths without an answer are answered as the demo backend does: claims
 * at `/token.json`, a user below `/user/`, 404 for the rest.
 *
 * @param answers by path
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
