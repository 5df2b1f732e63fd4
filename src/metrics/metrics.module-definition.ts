import { ConfigurableModuleBuilder } from '@nestjs/common';

/** Where `/metrics` is served. */
export interface MetricsModuleOptions {
  /** Address to listen on. */
  host: string;
  /** `undefined`: no listener; 0: a free port, which the log names. */
  port: number | undefined;
  /** A port in use leads to a warning instead of a failed boot. Default false. */
  optional?: boolean;
}

export const {
  ConfigurableModuleClass: ConfigurableMetricsModule,
  MODULE_OPTIONS_TOKEN: METRICS_OPTIONS,
  OPTIONS_TYPE: METRICS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: METRICS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<MetricsModuleOptions>({ moduleName: 'Metrics' })
  .setClassMethodName('forRoot')
  .build();
