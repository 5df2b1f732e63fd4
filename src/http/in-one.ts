import type { IncomingMessage, ServerResponse } from 'node:http';

type Next = (error?: unknown) => void;
type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

const goOn: Next = () => undefined;

/**
 * Several middlewares as one: each layer of Express costs as much as most of these do.
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
