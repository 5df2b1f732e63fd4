import { ConfigurableModuleBuilder } from '@nestjs/common';

/** Who may introspect. */
export interface IntrospectionModuleOptions {
  /**
   * Roles of which a token of our own has to hold one. Empty: only registered clients, see `ClientsModule`,
   * which always may when they are confidential.
   */
  roles: readonly string[];
}

export const {
  ConfigurableModuleClass: ConfigurableIntrospectionModule,
  MODULE_OPTIONS_TOKEN: INTROSPECTION_OPTIONS,
  OPTIONS_TYPE: INTROSPECTION_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: INTROSPECTION_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<IntrospectionModuleOptions>({ moduleName: 'Introspection' })
  .setClassMethodName('forRoot')
  .build();
