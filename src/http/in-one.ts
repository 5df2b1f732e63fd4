import type { IncomingMessage, ServerResponse } from 'node:http';

type Next = (error?: unknown) => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

const goOn: Next = () => undefined;

/**
 * Several middlewares as one, since each layer of Express costs about as much as what these do: -5 % CPU
 * of a 401, nothing measurable of a request to the backend (bench/README.md, 2026-11-27).
 *
 * @param steps call `next` before they return, and never with an error
 * @param last may do what it likes
 */
export const inOne =
  (steps: readonly Middleware[], last: Middleware): Middleware =>
  (request, response, next) => {
    for (const step of steps) step(request, response, goOn);
    last(request, response, next);
  };

/** Two middlewares as one; the first need not call `next`, and never with an error. */
export const inTurn =
  (first: Middleware, second: Middleware): Middleware =>
  (request, response, next) =>
    first(request, response, () => second(request, response, next));
