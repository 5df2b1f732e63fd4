import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ResourceMetadataOptions } from './resource-metadata.js';

/** What clients are told of the protected routes beside what their decorators say. */
export interface ProtectedResourceModuleOptions extends ResourceMetadataOptions {}

export const {
  ConfigurableModuleClass: ConfigurableProtectedResourceModule,
  MODULE_OPTIONS_TOKEN: PROTECTED_RESOURCE_OPTIONS,
  OPTIONS_TYPE: PROTECTED_RESOURCE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: PROTECTED_RESOURCE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<ProtectedResourceModuleOptions>({
  moduleName: 'ProtectedResource',
})
  .setClassMethodName('forRoot')
  .build();
