import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backend.js';
import { limit } from './helpers/faults.js';
import { figure } from './helpers/figure.js';
import { startGateway, type Gateway } from './helpers/gateway.js';
import { hostGateway } from './helpers/host.js';
import { call, callWith } from './helpers/http.js';

interface OtlpValue {
  stringValue?: string;
  intValue?: number;
}
interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: { key: string; value: OtlpValue }[];
  status?: { code?: number };
}
interface OtlpExport {
  resourceSpans: {
    resource: { attributes: OtlpSpan['attributes'] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

const SERVER = 2;
const CLIENT = 3;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let collector: Server;
let endpoint: string;
let bodies: string[];
let mode: 'takes' | 'refuses' | 'hangs' = 'takes';
let backend: Backend;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (mode === 'hangs') return;
      if (mode === 'takes' && request.url === '/v1/traces') bodies.push(body);
      response.statusCode = mode === 'takes' ? 200 : 400;
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  backend = await startBackend();
  await backend.answer('/token.json', {
    body: { access_token: { sub: 'secret-sub', roles: ['role_a'], aud: 'http://api.example.com' } },
  });
  await backend.answer('/user/1.json', { body: { id: 1 } });
});
afterAll(async () => {
  collector.close();
  collector.closeAllConnections();
  await backend.stop();
});
beforeEach(() => {
  bodies = [];
  mode = 'takes';
});

const start = (env: Record<string, string> = {}): Promise<Gateway> =>
  hostGateway({ BACKEND_HOST: backend.url, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env });
/** Spans leave when the process ends, if not before. */
const spans = (): OtlpSpan[] =>
  bodies.flatMap((body) =>
    (JSON.parse(body) as OtlpExport).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    ),
  );
const attribute = ({ attributes }: OtlpSpan, name: string): string | number | undefined => {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
};
const seenAt = (path: string) => backend.seen.findLast(({ url }) => url.startsWith(path));

describe('tracing', () => {
  it('follows a request to the backend, and continues the trace of the client', async () => {
    const gateway = await start();
    const token = await call(`${gateway.url}/token?password=secret-query`, {
      method: 'POST',
      headers: { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=x' },
    });
    const access = String(token.json.access_token);
    await callWith(`${gateway.url}/private/custom`, access);
    await call(`${gateway.url}/private/secret-path`);
    await gateway.stop();
    const all = spans();
    const server = all.find(({ name }) => name === 'POST /token');
    const client = all.find(({ name }) => name === 'POST /token.json');
    expect(server).toMatchObject({ kind: SERVER, traceId: TRACE, parentSpanId: PARENT });
    expect(client).toMatchObject({ kind: CLIENT, traceId: TRACE, parentSpanId: server?.spanId });
    expect(seenAt('/token.json')?.headers).toMatchObject({
      traceparent: `00-${TRACE}-${client?.spanId}-01`,
      tracestate: 'vendor=x',
    });
    expect(attribute(server as OtlpSpan, 'signet.request_id')).toBe(
      token.headers.get('x-request-id'),
    );
    expect(attribute(server as OtlpSpan, 'http.response.status_code')).toBe(200);
    expect(all.map(({ name }) => name).sort()).toEqual([
      'GET (none)',
      'GET /private/custom',
      'GET /user/1.json',
      'POST /token',
      'POST /token.json',
    ]);
    // A request without a trace begins one.
    const own = all.find(({ name }) => name === 'GET /private/custom');
    expect(own?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(own?.traceId).not.toBe(TRACE);
    expect(bodies.join()).toContain('{"key":"service.name","value":{"stringValue":"signet"}}');
    expect(bodies.join()).not.toMatch(/secret-|eyJ|role_a/);
  });

  it('respects that a trace is not sampled, and goes on in it', async () => {
    const gateway = await start();
    const headers = { traceparent: `00-${TRACE}-${PARENT}-00` };
    await call(`${gateway.url}/token`, { method: 'POST', headers });
    await gateway.stop();
    expect(spans()).toEqual([]);
    expect(seenAt('/token.json')?.headers.traceparent).toMatch(
      new RegExp(`^00-${TRACE}-.{16}-00$`),
    );
  });

  it.each([
    'garbage',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-extra`,
    'ff-',
  ])('begins a trace of its own where there is none to continue: %s', async (traceparent) => {
    const gateway = await start();
    await call(`${gateway.url}/token`, { method: 'POST', headers: { traceparent } });
    await gateway.stop();
    const server = spans().find(({ kind }) => kind === SERVER);
    expect(server?.parentSpanId ?? '').toBe('');
    expect(seenAt('/token.json')?.headers.traceparent).toContain(server?.traceId);
  });

  it('marks failures by their code', async () => {
    const gateway = await start({ BACKEND_HOST: 'http://127.0.0.1:1' });
    await call(`${gateway.url}/token`, { method: 'POST' });
    await gateway.stop();
    const all = spans();
    expect(all.map(({ name }) => name).sort()).toEqual(['POST /token', 'POST /token.json']);
    for (const span of all) {
      expect(attribute(span, 'error.type')).toBe('backend_unavailable');
      expect(span.status?.code).toBe(2);
    }
  });

  it.each(['refuses', 'hangs'] as const)(
    'a collector that %s harms no request and does not hold up the end',
    async (how) => {
      mode = how;
      const gateway = await startGateway({
        BACKEND_HOST: backend.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      });
      for (let i = 0; i < 20; i++)
        expect((await call(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
      const begin = performance.now();
      expect(await gateway.stop()).toBe(0);
      const elapsed = Math.round(performance.now() - begin);
      figure(`collector that ${how}: exit after ${elapsed} ms`);
      expect(elapsed).toBeLessThan(limit(5000, 30_000));
    },
  );

  it('is off by default: the backend gets no header, and nothing of it is loaded', async () => {
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SPY)}`,
    });
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    await call(`${gateway.url}/token`, { method: 'POST', headers });
    await gateway.stop();
    expect(seenAt('/token.json')?.headers).not.toHaveProperty('traceparent');
    expect(gateway.output()).toContain('spy: jose');
    // The client of Prometheus asks for the API's interfaces; there is nothing behind them.
    expect(gateway.output()).not.toMatch(/spy: @opentelemetry\/(?!api )/);
    expect(bodies).toEqual([]);
  });
});

/** Tells of every package that is loaded. */
const SPY = `
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(specifier, context, next) {
    if (!/^[./]|:/.test(specifier)) process.stderr.write('spy: ' + specifier + ' by ' + context.parentURL + '\\n');
    return next(specifier, context);
  } });`;
