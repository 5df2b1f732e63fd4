import { Module } from '@nestjs/common';
import { ReservedHeadersModule } from '../http/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { ClientAuthentication } from './client-authentication.service.js';
import { ClientRegistry } from './client-registry.service.js';
import {
  CLIENTS_OPTIONS,
  ConfigurableClientsModule,
  type ClientsModuleOptions,
} from './clients.module-definition.js';

/**
 * Registered clients: with this module, who calls the token endpoints has to be one of them. Needs
 * `JwksModule`, `StateModule` and `ThrottlerModule`.
 */
@Module({
  imports: [ReservedHeadersModule],
  providers: [
    {
      provide: ClientRegistry,
      inject: [CLIENTS_OPTIONS, JwkKeyStore],
      useFactory: (options: ClientsModuleOptions, keys: JwkKeyStore) =>
        ClientRegistry.open(options, keys),
    },
    ClientAuthentication,
  ],
  exports: [ClientRegistry, ClientAuthentication],
})
export class ClientsModule extends ConfigurableClientsModule {}
