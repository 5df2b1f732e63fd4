import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  attribute,
  CLIENT,
  ERROR,
  SERVER,
  startCollector,
  type OtlpCollector,
  type OtlpSpan,
} from '../../test/helpers/telemetry/otlp-collector.js';
import { GatewayException, type FinishedRequest } from '../http/index.js';
import { GatewayTracer } from './gateway-tracer.service.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let collector: OtlpCollector;
let tracer: GatewayTracer;
beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector.close());
beforeEach(() => {
  collector.reset();
  tracer = new GatewayTracer(collector);
});

/** @param trusts addresses of proxies, as Express has them */
function begin(
  headers: IncomingMessage['headers'] = {},
  trusts: (address: string) => boolean = () => false,
): IncomingMessage {
  const socket = { remoteAddress: '192.0.2.1' };
  const request = { headers, socket, app: { get: () => trusts } } as never as IncomingMessage;
  let passed = false;
  tracer.begin(request, {} as ServerResponse, () => (passed = true));
  expect(passed).toBe(true);
  return request;
}
const finished = (
  request: IncomingMessage,
  more: Partial<FinishedRequest> = {},
): FinishedRequest => ({
  request,
  id: randomUUID(),
  method: 'GET',
  route: '/private/custom',
  status: 200,
  milliseconds: 1,
  refusal: undefined,
  login: false,
  aborted: false,
  ...more,
});
/** Spans leave at the latest when the application ends. */
async function spans(): Promise<OtlpSpan[]> {
  await tracer.onApplicationShutdown();
  return collector.spans();
}

describe('a request', () => {
  it('is a span with route, status and request id, in the trace of its client', async () => {
    const request = begin({ traceparent: `00-${TRACE}-${PARENT}-01` });
    tracer.end(finished(request, { id: 'request-1' }));
    const [span, ...more] = await spans();
    expect(more).toEqual([]);
    expect(span).toMatchObject({
      name: 'GET /private/custom',
      kind: SERVER,
      traceId: TRACE,
      parentSpanId: PARENT,
    });
    expect(span?.attributes.map(({ key }) => key).toSorted()).toEqual([
      'http.request.method',
      'http.response.status_code',
      'http.route',
      'signet.request_id',
    ]);
    expect(attribute(span, 'signet.request_id')).toBe('request-1');
    expect(attribute(span, 'http.response.status_code')).toBe(200);
    expect(span?.status?.code ?? 0).not.toBe(ERROR);
    expect(collector.bodies.join()).toContain(
      '{"key":"service.name","value":{"stringValue":"signet"}}',
    );
  });

  it.each([
    undefined,
    'garbage',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-extra`,
    'ff-',
  ])('begins a trace of its own where there is none to continue: %s', async (traceparent) => {
    tracer.end(finished(begin({ traceparent })));
    const [span] = await spans();
    expect(span?.parentSpanId ?? '').toBe('');
    expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span?.traceId).not.toBe(TRACE);
  });

  it.each([
    [401, 'token_missing', false],
    [502, 'backend_unavailable', true],
  ])(
    'that ends with %i has its code, and is an error only from 500 on',
    async (status, code, isError) => {
      tracer.end(finished(begin(), { status, refusal: { code, explanation: 'secret' } }));
      const [span] = await spans();
      expect(attribute(span, 'error.type')).toBe(code);
      expect(span?.status?.code === ERROR).toBe(isError);
      expect(collector.bodies.join()).not.toContain('secret');
    },
  );

  it('of a method that is none of a gateway has a name all the same', async () => {
    tracer.end(finished(begin(), { method: 'PROPFIND', route: '(none)' }));
    expect((await spans()).map(({ name }) => name)).toEqual(['_OTHER (none)']);
  });

  it('that it did not see begin is left out', async () => {
    tracer.end(finished({ headers: {} } as IncomingMessage));
    expect(await spans()).toEqual([]);
  });
});

it('ends with the application also when the collector takes nothing', async () => {
  vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  collector.mode = 'refuses';
  tracer.end(finished(begin()));
  expect(await spans()).toEqual([]);
  expect(collector.paths).toEqual(['/v1/traces']);
  vi.restoreAllMocks();
});

describe('a call to the backend', () => {
  it('is a span below that of its request, and continues the trace in its headers', async () => {
    const request = begin({ traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=x' });
    const call = tracer.start({ method: 'POST', path: '/token.json?user=secret', from: request });
    call?.end(200);
    tracer.end(finished(request));
    const all = await spans();
    const client = all.find(({ kind }) => kind === CLIENT);
    expect(client).toMatchObject({
      name: 'POST /token.json',
      traceId: TRACE,
      parentSpanId: all.find(({ kind }) => kind === SERVER)?.spanId,
    });
    expect(attribute(client, 'url.template')).toBe('/token.json');
    expect(attribute(client, 'http.response.status_code')).toBe(200);
    // What the client writes into tracestate does not go on.
    expect(call?.headers).toEqual({ traceparent: `00-${TRACE}-${client?.spanId}-01` });
    expect(collector.bodies.join()).not.toContain('secret');
  });

  it.each([
    [
      new GatewayException({
        status: 504,
        error: 'x',
        code: 'backend_timeout',
        description: 'Late.',
      }),
      'backend_timeout',
    ],
    [new TypeError('secret'), 'internal'],
  ])('that fails has the code of its error', async (error, code) => {
    const request = begin();
    tracer.start({ path: '/user/{JWT.sub}', from: request })?.end(undefined, error);
    tracer.end(finished(request));
    const client = (await spans()).find(({ kind }) => kind === CLIENT);
    expect(client?.name).toBe('GET /user/{JWT.sub}');
    expect(attribute(client, 'error.type')).toBe(code);
    expect(client?.status?.code).toBe(ERROR);
    expect(collector.bodies.join()).not.toContain('secret');
  });

  it('is not followed without a request that is', () => {
    expect(tracer.start({ path: '/keys' })).toBeUndefined();
    expect(
      tracer.start({ path: '/keys', from: { headers: {} } as IncomingMessage }),
    ).toBeUndefined();
  });

  it('is in its trace also where the client asks for none: nobody hides', async () => {
    const request = begin({ traceparent: `00-${TRACE}-${PARENT}-00` });
    const call = tracer.start({ path: '/user/1', from: request });
    call?.end(200);
    tracer.end(finished(request));
    const [client, server] = await spans();
    expect([client?.traceId, server?.traceId, server?.parentSpanId]).toEqual([
      TRACE,
      TRACE,
      PARENT,
    ]);
    expect(call?.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  });

  it('keeps a trace that a trusted proxy does not sample: no span is sent, the backend is told so', async () => {
    const trusts = (address: string): boolean => address === '192.0.2.1';
    const request = begin({ traceparent: `00-${TRACE}-${PARENT}-00` }, trusts);
    const call = tracer.start({ path: '/user/1', from: request });
    call?.end(200);
    tracer.end(finished(request));
    expect(await spans()).toEqual([]);
    expect(call?.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });
});
