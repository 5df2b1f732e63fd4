import { ConfigurableModuleBuilder } from '@nestjs/common';

/** How the answers of `POST /_explain` put it. */
export interface ExplainModuleOptions {
  /** Rewrites a reason or an advice, e.g. to name a setting as whoever runs it knows it. Default: as it is. */
  reword?: (text: string) => string;
}

export const {
  ConfigurableModuleClass: ConfigurableExplainModule,
  MODULE_OPTIONS_TOKEN: EXPLAIN_OPTIONS,
} = new ConfigurableModuleBuilder<ExplainModuleOptions>({ moduleName: 'Explain' })
  .setClassMethodName('forRoot')
  .build();
