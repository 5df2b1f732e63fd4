import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { CallSpan, CallTarget, CallTracer } from '../backend/index.js';
import {
  GatewayException,
  KNOWN_METHODS,
  trustsPeer,
  type FinishedRequest,
  type RequestTracer,
} from '../http/index.js';
import { spanExporter } from './span-export.js';
import { TRACING_OPTIONS, type TracingModuleOptions } from './tracing.module-definition.js';

/** Milliseconds that the shutdown waits until the last spans are sent. */
const LAST_SPANS_MS = 1000;

/**
 * Makes a span per request and one per call to the backend, which gets the W3C trace context in its headers. Spans
 * contain route patterns and codes, but no URL, header, claim or token. The span of a request is looked up by the
 * request object, so no `AsyncLocalStorage` is needed.
 */
@Injectable()
export class GatewayTracer implements RequestTracer, CallTracer, OnApplicationShutdown {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private readonly propagator = new W3CTraceContextPropagator();
  private readonly spans = new WeakMap<IncomingMessage, Span>();

  constructor(@Inject(TRACING_OPTIONS) { endpoint }: TracingModuleOptions) {
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'signet' }),
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [new BatchSpanProcessor({ exporter: spanExporter(endpoint) })],
    });
    this.tracer = this.provider.getTracer('signet');
  }

  begin(request: IncomingMessage, _response: ServerResponse, next: () => void): void {
    // `tracestate` is not passed on: a client could send data to the backend in it.
    const { traceparent } = request.headers;
    const named = this.propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
    const parent = isHidden(named, request) ? sampled(named) : named;
    this.spans.set(request, this.tracer.startSpan('HTTP', { kind: SpanKind.SERVER }, parent));
    next();
  }

  end({ request, id, method, route, status, refusal }: FinishedRequest): void {
    const span = this.spans.get(request);
    if (span === undefined) return;
    const known = KNOWN_METHODS.has(method) ? method : '_OTHER';
    span.updateName(`${known} ${route}`);
    span.setAttributes({
      'http.request.method': known,
      'http.route': route,
      'http.response.status_code': status,
      'signet.request_id': id,
      'error.type': refusal?.code,
    });
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  start({ method = 'GET', path, from }: CallTarget): CallSpan | undefined {
    const parent = from && this.spans.get(from);
    if (parent === undefined) return undefined;
    const [template = ''] = path.split('?', 1);
    const span = this.tracer.startSpan(
      `${method} ${template}`,
      {
        kind: SpanKind.CLIENT,
        attributes: { 'http.request.method': method, 'url.template': template },
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    const headers: Record<string, string> = {};
    this.propagator.inject(trace.setSpan(ROOT_CONTEXT, span), headers, defaultTextMapSetter);
    return { headers, end: (status, error) => endCall(span, status, error) };
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.race([
      this.provider.shutdown().catch(() => undefined),
      sleep(LAST_SPANS_MS, undefined, { ref: false }),
    ]);
  }
}

/** True for a request that says it is not sampled. Only a trusted proxy may say so, no client. */
const isHidden = (context: Context, request: IncomingMessage): boolean =>
  trace.getSpanContext(context)?.traceFlags === TraceFlags.NONE && !trustsPeer(request);

const sampled = (context: Context): Context =>
  trace.setSpanContext(ROOT_CONTEXT, {
    ...(trace.getSpanContext(context) as SpanContext),
    traceFlags: TraceFlags.SAMPLED,
  });

function endCall(span: Span, status: number | undefined, error: unknown): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (error !== undefined) {
    const code = error instanceof GatewayException ? error.details.code : 'internal';
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
