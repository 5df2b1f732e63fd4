import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** What the first page tells. */
export interface PagesModuleOptions {
  /** The demo backend answers logins: the page names its users. */
  demo: boolean;
  /** `/docs` exists. */
  docs: boolean;
}

/** For tests. */
export const PAGES_KINDS: OptionKinds<PagesModuleOptions> = { demo: kinds.flag, docs: kinds.flag };

export const {
  ConfigurableModuleClass: ConfigurablePagesModule,
  MODULE_OPTIONS_TOKEN: PAGES_OPTIONS,
} = new ConfigurableModuleBuilder<PagesModuleOptions>({ moduleName: 'Pages' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, PAGES_OPTIONS, 'PagesModule', PAGES_KINDS),
  )
  .build();
