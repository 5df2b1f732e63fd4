// Loads OpenTelemetry: import it where tracing is on.
export { TracingModule } from './tracing.module.js';
export type { TracingModuleOptions } from './tracing.module-definition.js';
