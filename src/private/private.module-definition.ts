import { ConfigurableModuleBuilder } from '@nestjs/common';

/** The backend call behind `GET /private/custom`. */
export interface PrivateModuleOptions {
  /** Path below the backend's host; may contain `{JWT.<claim>}`. */
  path: string;
}

export const {
  ConfigurableModuleClass: ConfigurablePrivateModule,
  MODULE_OPTIONS_TOKEN: PRIVATE_OPTIONS,
  OPTIONS_TYPE: PRIVATE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: PRIVATE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<PrivateModuleOptions>({ moduleName: 'Private' })
  .setClassMethodName('forRoot')
  .build();
