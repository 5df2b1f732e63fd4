import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `TracingModule`. */
export interface TracingModuleOptions {
  /** Base URL of an OTLP/HTTP collector, e.g. `http://localhost:4318`. */
  endpoint: string;
}

/** The types of the options, checked at boot. Exported for tests. */
export const TRACING_KINDS: OptionKinds<TracingModuleOptions> = { endpoint: kinds.name };

export const {
  ConfigurableModuleClass: ConfigurableTracingModule,
  MODULE_OPTIONS_TOKEN: TRACING_OPTIONS,
  OPTIONS_TYPE: TRACING_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: TRACING_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<TracingModuleOptions>({ moduleName: 'Tracing' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, TRACING_OPTIONS, 'TracingModule', TRACING_KINDS),
  )
  .build();
