import { Module } from '@nestjs/common';
import { openStore } from './open-store.js';
import { Revocations } from './revocations.service.js';
import {
  ConfigurableStateModule,
  STATE_OPTIONS,
  type StateModuleOptions,
} from './state.module-definition.js';
import type { StateStore } from './state-store.js';

/** Injects the {@link StateStore}. */
export const STATE_STORE = Symbol('signet.state-store');

/** Provides {@link Revocations} and, as `STATE_STORE`, the store itself. */
@Module({
  providers: [
    {
      provide: STATE_STORE,
      inject: [STATE_OPTIONS],
      useFactory: ({ url }: StateModuleOptions) => openStore(url),
    },
    {
      provide: Revocations,
      inject: [STATE_STORE, STATE_OPTIONS],
      useFactory: (store: StateStore, options: StateModuleOptions) =>
        Revocations.open(store, options),
    },
  ],
  exports: [STATE_STORE, Revocations],
})
export class StateModule extends ConfigurableStateModule {}
