import { HttpModule } from '@nestjs/axios';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Agent } from 'undici';
import { BackendClient } from './backend-client.js';
import { ConfigurableBackendModule } from './backend.module-definition.js';
import { createPool, undiciAdapter } from './undici-transport.js';

const passThrough = [(value: unknown): unknown => value];

@Module({
  providers: [{ provide: Agent, useFactory: createPool }],
  exports: [Agent],
})
class PoolModule implements OnApplicationShutdown {
  constructor(@Inject(Agent) private readonly pool: Agent) {}

  async onApplicationShutdown(): Promise<void> {
    await this.pool.destroy();
  }
}

/** Provides {@link BackendClient} over `@nestjs/axios`, whose transport is an undici pool. */
@Module({
  imports: [
    HttpModule.registerAsync({
      imports: [PoolModule],
      inject: [Agent],
      useFactory: (pool: Agent) => ({
        adapter: undiciAdapter(pool),
        // Bytes go out and come in as they are.
        transformRequest: passThrough,
        transformResponse: passThrough,
        validateStatus: () => true,
      }),
    }),
  ],
  providers: [BackendClient],
  exports: [BackendClient],
})
export class BackendModule extends ConfigurableBackendModule {}
