/** Where spans go. */
export interface TracingModuleOptions {
  /** Base URL of an OTLP/HTTP collector, e.g. `http://localhost:4318`. */
  endpoint: string;
}

/** Injects the {@link TracingModuleOptions}. */
export const TRACING_OPTIONS = Symbol('signet.tracing-options');
