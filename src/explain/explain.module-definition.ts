import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** How the answers of `POST /_explain` put it. */
export interface ExplainModuleOptions {
  /** Rewrites a reason or an advice, e.g. to name a setting as whoever runs it knows it. Default: as it is. */
  reword?: (text: string) => string;
}

/** For tests. */
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
