import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { SigningOptions } from '../core/sign/index.js';

/** Defaults of every `@SignFields()`. */
export interface SigningModuleOptions extends SigningOptions {}

export const {
  ConfigurableModuleClass: ConfigurableSigningModule,
  MODULE_OPTIONS_TOKEN: SIGNING_OPTIONS,
  OPTIONS_TYPE: SIGNING_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: SIGNING_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SigningModuleOptions>({ moduleName: 'Signing' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
