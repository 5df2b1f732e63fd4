import { Logger } from '@nestjs/common';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { AtMostEvery } from '../core/time/index.js';

const TIMEOUT_MS = 5000;
const WARN_EVERY_MS = 60_000;

/**
 * Sends spans to a collector by OTLP over HTTP; `OTEL_EXPORTER_OTLP_HEADERS` is read as OpenTelemetry
 * defines it. Spans that cannot be sent are lost, with at most one line a minute in the log.
 *
 * @param endpoint base URL of the collector
 */
export function spanExporter(endpoint: string): SpanExporter {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: TIMEOUT_MS });
  const logger = new Logger('Tracing');
  const warning = new AtMostEvery(WARN_EVERY_MS);
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS && warning.due())
          logger.warn(
            `The collector takes no spans: ${result.error?.message ?? 'no reason given'}`,
          );
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
