import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { ResourceMetadataOptions } from './resource-metadata.js';

/** Options of `ProtectedResourceModule`. */
export interface ProtectedResourceModuleOptions extends ResourceMetadataOptions {}

/** The types of the options, checked at boot. Exported for tests. */
export const PROTECTED_RESOURCE_KINDS: OptionKinds<ProtectedResourceModuleOptions> = {
  resourceName: kinds.name,
};

export const {
  ConfigurableModuleClass: ConfigurableProtectedResourceModule,
  MODULE_OPTIONS_TOKEN: PROTECTED_RESOURCE_OPTIONS,
  OPTIONS_TYPE: PROTECTED_RESOURCE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: PROTECTED_RESOURCE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<ProtectedResourceModuleOptions>({
  moduleName: 'ProtectedResource',
})
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(
      definition,
      PROTECTED_RESOURCE_OPTIONS,
      'ProtectedResourceModule',
      PROTECTED_RESOURCE_KINDS,
    ),
  )
  .build();
