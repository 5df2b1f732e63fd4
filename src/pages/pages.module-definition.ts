import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `PagesModule`. */
export interface PagesModuleOptions {
  /** True: logins go to the demo backend, and the page names its users. */
  demo: boolean;
  /** True: the page links to `/docs`. */
  docs: boolean;
}

/** The types of the options, checked at boot. Exported for tests. */
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
