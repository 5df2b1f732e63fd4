import { Inject, Module, Optional } from '@nestjs/common';
import type { BackendClient } from '../backend/index.js';
import { BACKEND_CLIENT, REQUEST_TRACER } from '../http/index.js';
import { GatewayTracer } from './gateway-tracer.service.js';
import { ConfigurableTracingModule } from './tracing.module-definition.js';

/**
 * Traces requests with OpenTelemetry and, with `BackendModule`, their calls to the backend. Requests are traced by two
 * middlewares, which the application has to use:
 *
 * @example
 * ```ts
 * const tracer = app.get(GatewayTracer);
 * app.use(tracer.begin.bind(tracer), requestEndMiddleware(tracer.end.bind(tracer)));
 * ```
 */
@Module({
  providers: [GatewayTracer, { provide: REQUEST_TRACER, useExisting: GatewayTracer }],
  exports: [GatewayTracer, REQUEST_TRACER],
})
export class TracingModule extends ConfigurableTracingModule {
  constructor(tracer: GatewayTracer, @Optional() @Inject(BACKEND_CLIENT) backend?: BackendClient) {
    super();
    backend?.trace(tracer);
  }
}
