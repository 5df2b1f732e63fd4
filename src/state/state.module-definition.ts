import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { RevocationsOptions } from './revocations.service.js';

/** Where state is kept, and how it is followed. */
export interface StateModuleOptions extends RevocationsOptions {
  /** `sqlite:<file>` (path relative to the working directory), `redis://…`, `rediss://…` or `memory:`. */
  url: string;
}

export const {
  ConfigurableModuleClass: ConfigurableStateModule,
  MODULE_OPTIONS_TOKEN: STATE_OPTIONS,
  OPTIONS_TYPE: STATE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: STATE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<StateModuleOptions>({ moduleName: 'State' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
