import { Module } from '@nestjs/common';
import { ReservedHeadersModule } from '../http/index.js';
import { JwkKeyStore, requiredKeys } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { STATE_STORE } from '../state/index.js';
import { ClientAuthentication } from './client-authentication.service.js';
import { ClientRegistry } from './client-registry.service.js';
import {
  CLIENTS_OPTIONS,
  ConfigurableClientsModule,
  type ClientsModuleOptions,
} from './clients.module-definition.js';

/**
 * Registers OAuth clients: with this module every request to the token endpoints has to come from one of them. Needs
 * `JwksModule` and `StateModule`.
 */
@Module(
  withNeeds(
    'ClientsModule',
    { JwksModule: [JwkKeyStore], StateModule: [STATE_STORE] },
    {
      imports: [ReservedHeadersModule],
      providers: [
        {
          provide: ClientRegistry,
          inject: [CLIENTS_OPTIONS, { token: JwkKeyStore, optional: true }],
          useFactory: (options: ClientsModuleOptions, keys?: JwkKeyStore) =>
            ClientRegistry.open(options, requiredKeys(keys, 'ClientsModule')),
        },
        ClientAuthentication,
      ],
      exports: [ClientRegistry, ClientAuthentication],
    },
  ),
)
export class ClientsModule extends ConfigurableClientsModule {}
