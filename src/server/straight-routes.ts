import { tracingChannel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Next = (error?: unknown) => void;
/** A handler as Express calls it. */
export type ExpressHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: Next,
) => unknown;
type ErrorHandler = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: Next,
) => unknown;

/** A layer of the router of Express 5. */
export interface ExpressLayer {
  readonly handle: ExpressHandler | ErrorHandler;
  /** True: the layer is for all paths. */
  readonly slash: boolean;
  readonly route?: {
    readonly path: unknown;
    readonly methods: Readonly<Record<string, boolean>>;
    readonly stack: { handle: ExpressHandler }[];
  };
  match(path: string): unknown;
}

interface StraightRoute {
  readonly method: string;
  readonly route: object;
  /** Middleware, and the handler of the route. */
  readonly handles: readonly ExpressHandler[];
}

/** What Express sets on a request. */
type ExpressRequest = IncomingMessage & {
  res?: ServerResponse;
  baseUrl?: string;
  originalUrl?: string;
  params?: object;
  next?: Next;
  route?: object;
};

/** Channel on which the router (2.3) tells its subscribers each layer that is called. */
const LAYERS = tracingChannel('express.router.request');
const STATIC = /^[\w/.~-]+$/;
const takesErrors = (handle: ExpressLayer['handle']): handle is ErrorHandler => handle.length > 3;

/**
 * Calls the middleware and the handler of a route for exactly its path, where Express would compare the path with each
 * of its layers: -7 % CPU of a 401 (bench/README.md, 2026-11-28). Express serves other spellings of the path, paths
 * with a query, and other methods.
 */
export class StraightRoutes {
  private readonly routes = new Map<string, StraightRoute>();
  private readonly errorHandlers: readonly ErrorHandler[];
  private readonly layers: number;

  /** @param stack layers of the router of the application. If layers are added later, Express serves all requests */
  constructor(private readonly stack: readonly ExpressLayer[]) {
    this.layers = stack.length;
    this.errorHandlers = stack.map(({ handle }) => handle).filter(takesErrors);
  }

  /** Adds a route, unless an earlier layer might be for its path or for a part of it. */
  add(method: string, path: string): void {
    const index = this.stack.findIndex(
      ({ route }) => route?.path === path && route.methods[method.toLowerCase()] === true,
    );
    const layer = this.stack[index];
    const [handler] = layer?.route?.stack ?? [];
    if (layer?.route === undefined || handler === undefined || layer.route.stack.length !== 1)
      return;
    const others = this.stack.slice(0, index).filter((before) => before.match(path));
    const middleware = others.map(({ handle }) => handle);
    if (
      !STATIC.test(path) ||
      others.some(({ route, slash }) => route !== undefined || !slash) ||
      middleware.some(takesErrors) ||
      this.stack.some(({ handle, slash }) => takesErrors(handle) && !slash)
    )
      return;
    // Express serves a second method of the same path.
    if (this.routes.has(path)) return;
    const handles = [...(middleware as ExpressHandler[]), handler.handle];
    this.routes.set(path, { method, route: layer.route, handles });
  }

  /** @returns false if Express has to serve the request */
  serve(request: ExpressRequest, response: ServerResponse & { locals?: object }): boolean {
    const route = this.routes.get(request.url ?? '');
    if (route?.method !== request.method || route === undefined) return false;
    if (this.stack.length !== this.layers || LAYERS.hasSubscribers) return false;
    request.res = response;
    request.baseUrl = '';
    request.originalUrl = request.url;
    request.params = {};
    response.locals = {};
    this.call(route, request, response);
    return true;
  }

  private call(
    { handles, route }: StraightRoute,
    request: ExpressRequest,
    response: ServerResponse,
  ): void {
    let index = 0;
    const next: Next = (error) => {
      if (error !== undefined && error !== null) {
        this.fail(error, request, response);
        return;
      }
      const handle = handles[index++];
      if (index === handles.length) request.route = route;
      // The handler of a route has to answer.
      if (handle === undefined) response.destroy();
      else
        settle(
          () => handle(request, response, next),
          (thrown) => this.fail(thrown, request, response),
        );
    };
    request.next = next;
    next();
  }

  private fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    let index = 0;
    const next: Next = (last = error) => {
      const handle = this.errorHandlers[index++];
      if (handle === undefined) response.destroy();
      else settle(() => handle(last, request, response, next), next);
    };
    next();
  }
}

/** Calls `handle`, and `failed` with the error if it throws or rejects. */
function settle(handle: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = handle();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}
