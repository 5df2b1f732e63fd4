import { Module, type DynamicModule } from '@nestjs/common';
import { BackendClient } from '../backend/index.js';
import { REQUEST_TRACER } from '../http/index.js';
import { GatewayTracer } from './gateway-tracer.service.js';
import { TRACING_OPTIONS, type TracingModuleOptions } from './tracing.module-definition.js';

/**
 * Traces requests and their calls to the backend. Needs `BackendModule`. OpenTelemetry is loaded
 * with this file and only with it.
 */
@Module({})
export class TracingModule {
  constructor(backend: BackendClient, tracer: GatewayTracer) {
    backend.trace(tracer);
  }

  static forRoot(options: TracingModuleOptions): DynamicModule {
    return {
      module: TracingModule,
      providers: [
        { provide: TRACING_OPTIONS, useValue: options },
        GatewayTracer,
        { provide: REQUEST_TRACER, useExisting: GatewayTracer },
      ],
    };
  }
}
