import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `ExplainModule` and `ManagementExplainModule`. */
export interface ExplainModuleOptions {
  /** Rewrites each reason and advice, e.g. to name variables in place of options. Default: they are not changed. */
  reword?: (text: string) => string;
}

/** The types of the options, checked at boot. Exported for tests. */
export const EXPLAIN_KINDS: OptionKinds<ExplainModuleOptions> = { reword: kinds.method };

export const {
  ConfigurableModuleClass: ConfigurableExplainModule,
  MODULE_OPTIONS_TOKEN: EXPLAIN_OPTIONS,
} = new ConfigurableModuleBuilder<ExplainModuleOptions>({ moduleName: 'Explain' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, EXPLAIN_OPTIONS, definition.module.name, EXPLAIN_KINDS),
  )
  .build();
