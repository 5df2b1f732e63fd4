import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ServerMetadataOptions } from './server-metadata.js';

/** What clients discover about the gateway. */
export interface WellKnownModuleOptions extends ServerMetadataOptions {
  /** Base of the URLs. Default: `http://localhost` and the port that is listened on. */
  publicUrl?: string;
}

export const {
  ConfigurableModuleClass: ConfigurableWellKnownModule,
  MODULE_OPTIONS_TOKEN: WELL_KNOWN_OPTIONS,
  OPTIONS_TYPE: WELL_KNOWN_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: WELL_KNOWN_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<WellKnownModuleOptions>({ moduleName: 'WellKnown' })
  .setClassMethodName('forRoot')
  .build();
