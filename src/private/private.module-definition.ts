import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `PrivateModule`. */
export interface PrivateModuleOptions {
  /** Path of the backend call. `{JWT.<claim>}` is replaced by the claim. */
  path: string;
}

/** The types of the options, checked at boot. Exported for tests. */
export const PRIVATE_KINDS: OptionKinds<PrivateModuleOptions> = { path: kinds.name };

export const {
  ConfigurableModuleClass: ConfigurablePrivateModule,
  MODULE_OPTIONS_TOKEN: PRIVATE_OPTIONS,
  OPTIONS_TYPE: PRIVATE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: PRIVATE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<PrivateModuleOptions>({ moduleName: 'Private' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, PRIVATE_OPTIONS, 'PrivateModule', PRIVATE_KINDS),
  )
  .build();
