import type { ServerResponse } from 'node:http';

let waiting: { response: ServerResponse; body: string }[] = [];

/**
 * Ends an answer, with those of all other requests that this turn of the event loop has worked
 * through. Sending one wakes its reader up, and a reader that is awake costs the next one less: one
 * after the other they cost a fifth of all CPU time. Alone, an answer waits for nothing.
 *
 * Its head is final at once, as if it had been sent.
 */
export function endTogether(response: ServerResponse, body: string): void {
  response.writeHead(response.statusCode);
  if (waiting.push({ response, body }) === 1) setImmediate(endAll);
}

function endAll(): void {
  const ready = waiting;
  waiting = [];
  for (const { response, body } of ready) end(response, body);
}

function end(response: ServerResponse, body: string): void {
  try {
    response.end(body);
  } catch {
    // Whoever replaced `end` has failed; the others must not wait for it.
    response.destroy();
  }
}
