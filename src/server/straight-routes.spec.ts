import { once } from 'node:events';
import { channel } from 'node:diagnostics_channel';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayAdapter } from './index.js';
import { StraightRoutes, type ExpressLayer } from './straight-routes.js';

const closers: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
});

/** What a route, and the middleware before it, see of a request. */
const seen = (request: Request, response: Response): object => ({
  params: { ...request.params },
  query: { ...request.query },
  baseUrl: request.baseUrl,
  originalUrl: request.originalUrl,
  path: request.path,
  route: request.route as unknown,
  circular: request.res === response && response.req === request,
  locals: { ...response.locals },
});

async function answerLater(request: Request, response: Response): Promise<void> {
  await Promise.resolve();
  if (request.headers['x-fail'] === 'late') throw new Error('late');
  response.json(seen(request, response));
}

/** Serves an application of `GET /a/b`, and tells how often its router was asked. */
async function serve(change: (app: Express) => void = () => undefined) {
  const app = express();
  app.use((request, response, next) => {
    Object.assign(response.locals, { before: seen(request, response) });
    if (request.headers['x-fail'] === 'next') next(new Error('by next'));
    else if (request.headers['x-fail'] === 'throw') throw new Error('by throw');
    else setImmediate(next);
  });
  change(app);
  app.get('/a/b', (request, response) => answerLater(request, response));
  app.post('/a/b', (_request, response) => void response.json('posted'));
  app.get('/a/:id', (_request, response) => void response.json('other'));
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).json(error.message);
  });
  const { stack } = app.router as unknown as { stack: ExpressLayer[] };
  const adapter = new GatewayAdapter(app);
  const straight = new StraightRoutes(stack);
  straight.add('GET', '/a/b');
  straight.add('GET', '/a/:id');
  adapter.initHttpServer();
  const server = adapter.getHttpServer().listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const asked = vi.spyOn(app.router as unknown as { handle: () => void }, 'handle');
  const ask = async (isStraight: boolean, target = '/a/b', init: RequestInit = {}) => {
    adapter.straight = isStraight ? straight : undefined;
    asked.mockClear();
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${target}`, init);
    return { status: response.status, text: await response.text(), asked: asked.mock.calls.length };
  };
  return { app, ask };
}

describe('a straight route', () => {
  it.each(['none', 'next', 'throw', 'late'])(
    'is served as by Express; failure: %s',
    async (fail) => {
      const { ask } = await serve();
      const init = { headers: { 'x-fail': fail } };
      const byExpress = await ask(false, '/a/b', init);
      const straight = await ask(true, '/a/b', init);
      expect(byExpress.asked).toBe(1);
      expect(straight).toEqual({ ...byExpress, asked: 0 });
    },
  );

  it.each<[string, RequestInit?]>([
    ['/a/b?c=d'],
    ['/A/b'],
    ['/a/b/'],
    ['/a/c'],
    ['/a/b', { method: 'HEAD' }],
    ['/a/b', { method: 'POST' }],
  ])('leaves %s %o to Express', async (target, init) => {
    const { ask } = await serve();
    expect((await ask(true, target, init)).asked).toBe(1);
  });

  it.each<[string, (app: Express) => void]>([
    ['middleware of a part of the path', (app) => app.use('/a', (_q, _r, next) => next())],
    ['a route that also fits', (app) => app.get('/:x/b', (_q, _r, next) => next())],
    ['a route for all methods', (app) => app.all('/a/b', (_q, _r, next) => next())],
    [
      'a handler of errors',
      (app) => app.use((e: Error, _q: Request, _r: Response, n: NextFunction) => n(e)),
    ],
  ])('is none behind %s', async (_what, change) => {
    const { ask } = await serve(change);
    expect((await ask(true)).asked).toBe(1);
  });

  it('is none any more once something was added to the application', async () => {
    const { app, ask } = await serve();
    expect((await ask(true)).asked).toBe(0);
    app.use((_request, _response, next) => next());
    expect((await ask(true)).asked).toBe(1);
  });

  it('is none while somebody listens to the layers', async () => {
    const { ask } = await serve();
    const listener = (): void => undefined;
    const layers = channel('tracing:express.router.request:start');
    layers.subscribe(listener);
    const { asked } = await ask(true);
    layers.unsubscribe(listener);
    expect(asked).toBe(1);
  });
});
