import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP writes it in JSON. */
export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
  status?: { code?: number };
}
interface OtlpExport {
  resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
}

export const SERVER = 2;
export const CLIENT = 3;
export const ERROR = 2;

/** A collector of spans on a free port of this machine. */
export interface OtlpCollector {
  endpoint: string;
  /** What it does with spans; back to `takes` with {@link OtlpCollector.reset}. */
  mode: 'takes' | 'refuses' | 'hangs';
  /** The requests that it took, as they came. */
  readonly bodies: readonly string[];
  /** The paths of all requests. */
  readonly paths: readonly string[];
  /** All spans that it took. */
  spans(): OtlpSpan[];
  reset(): void;
  close(): void;
}

export async function startCollector(): Promise<OtlpCollector> {
  const bodies: string[] = [];
  const paths: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      paths.push(request.url ?? '');
      if (collector.mode === 'hangs') return;
      if (collector.mode === 'takes') bodies.push(body);
      response.statusCode = collector.mode === 'takes' ? 200 : 400;
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: OtlpCollector = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'takes',
    bodies,
    paths,
    spans: () =>
      bodies.flatMap((body) =>
        (JSON.parse(body) as OtlpExport).resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap((scope) => scope.spans),
        ),
      ),
    reset: () => {
      collector.mode = 'takes';
      bodies.length = 0;
      paths.length = 0;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return collector;
}

/** The value of an attribute of a span. */
export function attribute(span: OtlpSpan | undefined, name: string): string | number | undefined {
  const value = span?.attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
}
