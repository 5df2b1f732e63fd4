import { Logger } from '@nestjs/common';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace';

const TIMEOUT_MS = 5000;
/** At most one line a minute about a collector that does not take spans. */
const WARN_EVERY_MS = 60_000;

/**
 * Sends spans to a collector by OTLP over HTTP; `OTEL_EXPORTER_OTLP_HEADERS` is read as OpenTelemetry
 * defines it. What cannot be sent is lost, with a line in the log.
 *
 * @param endpoint base URL of the collector
 */
export function spanExporter(endpoint: string): SpanExporter {
  const logger = new Logger('Tracing');
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: TIMEOUT_MS });
  let lastWarning = -Infinity;
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.code !== ExportResultCode.SUCCESS && now - lastWarning > WARN_EVERY_MS) {
          lastWarning = now;
          logger.warn(
            `The collector takes no spans: ${result.error?.message ?? 'no reason given'}`,
          );
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
