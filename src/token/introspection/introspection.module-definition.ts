import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../../options/index.js';

/** Options of `IntrospectionModule`: who may introspect. */
export interface IntrospectionModuleOptions {
  /**
   * Roles, one of which the token of the request must have; it has to be a token of our own. Confidential clients of
   * `ClientsModule` always may introspect; with an empty list only they may.
   */
  roles: readonly string[];
}

/** The types of the options, checked at boot. Exported for tests. */
export const INTROSPECTION_KINDS: OptionKinds<IntrospectionModuleOptions> = { roles: kinds.texts };

export const {
  ConfigurableModuleClass: ConfigurableIntrospectionModule,
  MODULE_OPTIONS_TOKEN: INTROSPECTION_OPTIONS,
  OPTIONS_TYPE: INTROSPECTION_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: INTROSPECTION_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<IntrospectionModuleOptions>({ moduleName: 'Introspection' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(
      definition,
      INTROSPECTION_OPTIONS,
      'IntrospectionModule',
      INTROSPECTION_KINDS,
    ),
  )
  .build();
