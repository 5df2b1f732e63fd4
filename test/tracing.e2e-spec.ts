import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { NO_BUNDLE } from './helpers/gateway/processes.js';
import { call, callWith } from './helpers/network/http.js';
import {
  attribute,
  CLIENT,
  ERROR,
  SERVER,
  startCollector,
  type OtlpCollector,
} from './helpers/telemetry/otlp-collector.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let collector: OtlpCollector;
let backend: Backend;

beforeAll(async () => {
  collector = await startCollector();
  backend = await startBackend();
  await backend.answer('/token.json', {
    body: { access_token: { sub: 'secret-sub', roles: ['role_a'], aud: 'http://api.example.com' } },
  });
  await backend.answer('/user/1.json', { body: { id: 1 } });
});
afterAll(async () => {
  collector.close();
  await backend.stop();
});
beforeEach(() => collector.reset());

const settings = () => ({
  BACKEND_HOST: backend.url,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
});
const seenAt = (path: string) => backend.seen.findLast(({ url }) => url.startsWith(path));

describe('tracing', () => {
  it('follows a request to the backend, and continues the trace of the client', async () => {
    const gateway = await hostGateway(settings());
    const token = await call(`${gateway.url}/token?password=secret-query`, {
      method: 'POST',
      headers: { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=x' },
    });
    const access = String(token.json.access_token);
    await callWith(`${gateway.url}/private/custom`, access);
    await call(`${gateway.url}/private/secret-path`);
    await gateway.stop();
    // Spans leave when the process ends, if not before.
    const all = collector.spans();
    const server = all.find(({ name }) => name === 'POST /token');
    const client = all.find(({ name }) => name === 'POST /token.json');
    expect(server).toMatchObject({ kind: SERVER, traceId: TRACE, parentSpanId: PARENT });
    expect(client).toMatchObject({ kind: CLIENT, traceId: TRACE, parentSpanId: server?.spanId });
    expect(seenAt('/token.json')?.headers).toMatchObject({
      traceparent: `00-${TRACE}-${client?.spanId}-01`,
    });
    // What others may have written there is none of the backend's business.
    expect(seenAt('/token.json')?.headers).not.toHaveProperty('tracestate');
    expect(attribute(server, 'signet.request_id')).toBe(token.headers.get('x-request-id'));
    expect(attribute(server, 'http.response.status_code')).toBe(200);
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
    expect(collector.bodies.join()).not.toMatch(/secret-|eyJ|role_a/);
  });

  it('respects that a trusted proxy does not sample, and begins its own where there is none', async () => {
    const gateway = await hostGateway({ ...settings(), TRUST_PROXY: 'loopback' });
    const send = async (traceparent: string): Promise<string> => {
      await call(`${gateway.url}/token`, { method: 'POST', headers: { traceparent } });
      return String(seenAt('/token.json')?.headers.traceparent);
    };
    expect(await send(`00-${TRACE}-${PARENT}-00`)).toMatch(new RegExp(`^00-${TRACE}-.{16}-00$`));
    const own = await send('garbage');
    await gateway.stop();
    const [server, ...more] = collector.spans().filter(({ kind }) => kind === SERVER);
    expect(more).toEqual([]);
    expect(server?.parentSpanId ?? '').toBe('');
    expect(own).toContain(server?.traceId);
  });

  it('marks failures by their code, on the request and on the call', async () => {
    const gateway = await hostGateway({ ...settings(), BACKEND_HOST: 'http://127.0.0.1:1' });
    await call(`${gateway.url}/token`, { method: 'POST' });
    await gateway.stop();
    const all = collector.spans();
    expect(all.map(({ name }) => name).sort()).toEqual(['POST /token', 'POST /token.json']);
    for (const span of all) {
      expect(attribute(span, 'error.type')).toBe('backend_unavailable');
      expect(span.status?.code).toBe(ERROR);
    }
  });

  it('a collector that hangs harms no request and does not hold up the end', async () => {
    collector.mode = 'hangs';
    const gateway = await startGateway(settings());
    for (let i = 0; i < 20; i++)
      expect((await call(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
    const begin = performance.now();
    expect(await gateway.stop()).toBe(0);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it('is off by default: the backend gets no header, and nothing of it is loaded', async () => {
    const gateway = await startGateway({
      BACKEND_HOST: backend.url,
      NODE_OPTIONS: `${NO_BUNDLE} --import=data:text/javascript,${encodeURIComponent(SPY)}`,
    });
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    await call(`${gateway.url}/token`, { method: 'POST', headers });
    await gateway.stop();
    expect(seenAt('/token.json')?.headers).not.toHaveProperty('traceparent');
    expect(gateway.output()).toContain('spy: @nestjs/core');
    // The client of Prometheus asks for the API's interfaces; there is nothing behind them.
    expect(gateway.output()).not.toMatch(/spy: @opentelemetry\/(?!api )/);
    expect(collector.bodies).toEqual([]);
  });
});

/** Tells of every package that is loaded. */
const SPY = `
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(specifier, context, next) {
    if (!/^[./]|:/.test(specifier)) process.stderr.write('spy: ' + specifier + ' by ' + context.parentURL + '\\n');
    return next(specifier, context);
  } });`;
