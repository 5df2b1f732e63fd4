import { HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { BACKEND_CLIENT, HopTokensModule, ReservedHeadersModule } from '../http/index.js';
import { BackendClient } from './backend-client.service.js';
import { BackendHttpService } from './backend-http.service.js';
import {
  BACKEND_OPTIONS,
  backendLimits,
  ConfigurableBackendModule,
  type BackendModuleOptions,
} from './backend.module-definition.js';
import { BackendTransport } from './transport/backend-transport.js';

/** Provides {@link BackendClient}, and the `HttpService` whose interceptors its calls pass. */
@Module({
  imports: [ReservedHeadersModule, HopTokensModule],
  providers: [
    BackendTransport,
    {
      provide: HttpService,
      inject: [BackendTransport, BACKEND_OPTIONS],
      useFactory: (transport: BackendTransport, options: BackendModuleOptions) =>
        new BackendHttpService(transport, backendLimits(options).timeoutMs),
    },
    BackendClient,
    { provide: BACKEND_CLIENT, useExisting: BackendClient },
  ],
  exports: [BackendClient, BACKEND_CLIENT, HttpService],
})
export class BackendModule extends ConfigurableBackendModule {}
