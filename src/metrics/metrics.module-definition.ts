import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ManagementOptions } from '../management/index.js';

/** Where `/metrics` is served. */
export interface MetricsModuleOptions extends ManagementOptions {}

export const {
  ConfigurableModuleClass: ConfigurableMetricsModule,
  MODULE_OPTIONS_TOKEN: METRICS_OPTIONS,
  OPTIONS_TYPE: METRICS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: METRICS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<MetricsModuleOptions>({ moduleName: 'Metrics' })
  .setClassMethodName('forRoot')
  .build();
