import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { ServerMetadataOptions } from './server-metadata.js';

/** Options of `WellKnownModule`. */
export interface WellKnownModuleOptions extends ServerMetadataOptions {
  /** Base of the URLs in the metadata. Default: `http://localhost` with the port of the server. */
  publicUrl?: string;
}

/** The types of the options, checked at boot. Exported for tests. */
export const WELL_KNOWN_KINDS: OptionKinds<WellKnownModuleOptions> = {
  publicUrl: kinds.name,
  issuer: kinds.name,
  grants: kinds.texts,
  authMethods: kinds.texts,
  revocation: kinds.texts,
  introspection: kinds.texts,
  docs: kinds.flag,
  dpopAlgorithms: kinds.texts,
};

export const {
  ConfigurableModuleClass: ConfigurableWellKnownModule,
  MODULE_OPTIONS_TOKEN: WELL_KNOWN_OPTIONS,
  OPTIONS_TYPE: WELL_KNOWN_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: WELL_KNOWN_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<WellKnownModuleOptions>({ moduleName: 'WellKnown' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, WELL_KNOWN_OPTIONS, 'WellKnownModule', WELL_KNOWN_KINDS),
  )
  .build();
