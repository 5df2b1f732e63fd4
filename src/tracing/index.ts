// Says so on a Node that is too old, before anything fails for it.
import '../core/errors/index.js';

// Loads OpenTelemetry: import it where tracing is on.
export { GatewayTracer } from './gateway-tracer.service.js';
export { TracingModule } from './tracing.module.js';
export { TRACING_OPTIONS, type TracingModuleOptions } from './tracing.module-definition.js';
