import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { ManagementOptions } from '../management/index.js';

/** Where `/metrics` and the status page are served. */
export interface MetricsModuleOptions extends ManagementOptions {}

/** The types of the options, checked at boot. Exported for tests. */
export const METRICS_KINDS: OptionKinds<MetricsModuleOptions> = {
  host: kinds.name,
  port: kinds.whole('ports'),
  optional: kinds.flag,
};

export const {
  ConfigurableModuleClass: ConfigurableMetricsModule,
  MODULE_OPTIONS_TOKEN: METRICS_OPTIONS,
  OPTIONS_TYPE: METRICS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: METRICS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<MetricsModuleOptions>({ moduleName: 'Metrics' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, METRICS_OPTIONS, 'MetricsModule', METRICS_KINDS),
  )
  .build();
