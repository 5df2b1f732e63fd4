import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { ClientRegistration } from '../core/clients/index.js';

/** The registered clients: a file, which is followed, or a list. */
export type ClientsSource =
  | {
      /** JSON file `{ "clients": [ … ] }`, relative to the working directory. */
      path: string;
      clients?: undefined;
    }
  | { path?: undefined; clients: readonly ClientRegistration[] };

/** Which clients there are, and what their assertions have to say. */
export type ClientsModuleOptions = ClientsSource & {
  /** The own issuer: `aud` of assertions (RFC 7523 section 3), and the `iss` of tokens whose clients these are. */
  issuer: string;
  /** Base of the endpoints' URLs, which are accepted as `aud`, too. Default: `http://localhost` and the port. */
  publicUrl?: string;
  /** Seconds of clock difference that are forgiven in assertions. Default 1. */
  leeway?: number;
  /** What a file that others can read or change leads to. Default `warn`. */
  exposedFiles?: 'warn' | 'refuse' | 'allow';
  /** Milliseconds between two looks at the file, beside the directory watch; 0 turns reload off. Default 1000. */
  reloadIntervalMs?: number;
};

/** For tests. */
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
