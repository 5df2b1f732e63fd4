import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { ClientRegistration } from '../core/clients/index.js';

/** The registered clients: a file, which is reloaded when it changes, or a list. */
export type ClientsSource =
  | {
      /** JSON file `{ "clients": [ … ] }`, relative to the working directory. */
      path: string;
      clients?: undefined;
    }
  | { path?: undefined; clients: readonly ClientRegistration[] };

/** Options of `ClientsModule`. */
export type ClientsModuleOptions = ClientsSource & {
  /** Our issuer: the `aud` of assertions (RFC 7523 section 3), and the `iss` of the tokens of these clients. */
  issuer: string;
  /** Base of the endpoint URLs, which are accepted as `aud`, too. Default: `http://localhost` with the port. */
  publicUrl?: string;
  /** Clock difference in seconds that is accepted in assertions. Default 1. */
  leeway?: number;
  /** What happens with a file that other users of the machine can read or change. Default `warn`. */
  exposedFiles?: 'warn' | 'refuse' | 'allow';
  /** Milliseconds between two reads of the file, beside the watch of its directory; 0: no reload. Default 1000. */
  reloadIntervalMs?: number;
};

/** The types of the options, checked at boot. Exported for tests. */
export const CLIENTS_KINDS: OptionKinds<ClientsModuleOptions> = {
  path: kinds.name,
  clients: kinds.list,
  issuer: kinds.name,
  publicUrl: kinds.name,
  leeway: kinds.number('seconds'),
  exposedFiles: kinds.oneOf('warn', 'refuse', 'allow'),
  reloadIntervalMs: kinds.number('milliseconds'),
};

export const {
  ConfigurableModuleClass: ConfigurableClientsModule,
  MODULE_OPTIONS_TOKEN: CLIENTS_OPTIONS,
  OPTIONS_TYPE: CLIENTS_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: CLIENTS_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<ClientsModuleOptions>({ moduleName: 'Clients' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      CLIENTS_OPTIONS,
      'ClientsModule',
      CLIENTS_KINDS,
    ),
  )
  .build();
