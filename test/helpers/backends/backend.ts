import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { kill, track } from '../run/resources.js';

/** What the backend saw of one call. */
export interface SeenRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** An answer of the backend; `body` is sent as it is, anything but a string as JSON. */
export interface Rule {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
  /** The end of the body comes so many milliseconds late. */
  delayMs?: number;
}

export interface Backend {
  url: string;
  /** Sets the answer to a path. */
  answer(path: string, rule: Rule): Promise<void>;
  /** All calls so far. */
  seen: SeenRequest[];
  /** The last call of a path among those that were answered. */
  lastCall(path: string): Promise<SeenRequest>;
  stop(): Promise<void>;
}

/** Starts a backend as a separate process on a free port. */
export async function startBackend(): Promise<Backend> {
  const child = track(
    spawn(process.execPath, [resolve('test/helpers/backends/backend-process.mjs')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const seen: SeenRequest[] = [];
  const waiting: ((line: string) => void)[] = [];
  const next = (): Promise<string> => new Promise((found) => waiting.push(found));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return waiting.shift()?.(line);
    const request = JSON.parse(line) as SeenRequest & { body: unknown };
    seen.push({ ...request, body: Buffer.from(String(request.body), 'base64') });
    return undefined;
  });
  const url = await next();
  const answer = async (path: string, rule: Rule): Promise<void> => {
    const body = typeof rule.body === 'string' ? rule.body : JSON.stringify(rule.body);
    child.stdin.write(`${JSON.stringify({ path, ...rule, body })}\n`);
    await next();
  };
  return {
    url,
    seen,
    answer,
    lastCall: async (path) => {
      // An answer may be here before the line that tells of its call; the reply to a rule comes after both.
      await answer('/no-path-of-a-test', { body: '' });
      const call = seen.findLast((one) => one.url === path);
      if (call === undefined) throw new Error(`the backend saw no call of ${path}`);
      return call;
    },
    stop: () => kill(child),
  };
}
