import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../../options/index.js';

/** Who may introspect. */
export interface IntrospectionModuleOptions {
  /**
   * Roles of which a token of our own has to hold one. Empty: only registered clients, see `ClientsModule`,
   * which always may when they are confidential.
   */
  roles: readonly string[];
}

/** For tests. */
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
