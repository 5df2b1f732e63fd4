import { HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { create } from 'axios';
import { ReservedHeadersModule } from '../http/index.js';
import { BackendClient } from './backend-client.service.js';
import { BackendTransport } from './backend-transport.js';
import { ConfigurableBackendModule } from './backend.module-definition.js';

const passThrough = [(value: unknown): unknown => value];

/** Provides {@link BackendClient} over `@nestjs/axios`, whose transport is an undici pool. */
@Module({
  imports: [ReservedHeadersModule],
  providers: [
    BackendTransport,
    {
      provide: HttpService,
      inject: [BackendTransport],
      useFactory: ({ adapter }: BackendTransport) =>
        new HttpService(
          create({
            adapter,
            // Bytes go out and come in as they are.
            transformRequest: passThrough,
            transformResponse: passThrough,
            validateStatus: () => true,
          }),
        ),
    },
    BackendClient,
  ],
  exports: [BackendClient],
})
export class BackendModule extends ConfigurableBackendModule {}
