// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

// This room loads OpenTelemetry, so import it only where tracing is on.
export { GatewayTracer } from './gateway-tracer.service.js';
export { TracingModule } from './tracing.module.js';
export { TRACING_OPTIONS, type TracingModuleOptions } from './tracing.module-definition.js';
