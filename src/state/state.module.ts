import { Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { openStore } from './open-store.js';
import { Revocations } from './revocations/revocations.service.js';
import {
  ConfigurableStateModule,
  STATE_OPTIONS,
  type StateModuleOptions,
} from './state.module-definition.js';
import { SuccessorUses } from './successor-uses.service.js';
import type { StateStore } from './state-store.js';

/** Injection token of the {@link StateStore}. */
export const STATE_STORE = Symbol('signet.state-store');

/** The store that the options name. */
async function storeOf(
  { url, store, exposedFiles }: StateModuleOptions,
  modules: ModuleRef,
): Promise<StateStore> {
  if (url !== undefined && store !== undefined)
    throw new BootError('StateModule: give one of the options url and store, not both');
  if (url !== undefined) return openStore(url, { exposedFiles });
  if (store === undefined)
    throw new BootError('StateModule: give one of the options url and store');
  return typeof store === 'function' ? modules.create(store) : store;
}

/** Provides {@link Revocations}, {@link SuccessorUses} and, as `STATE_STORE`, the store itself. */
@Module({
  providers: [
    {
      provide: STATE_STORE,
      inject: [STATE_OPTIONS, ModuleRef],
      useFactory: storeOf,
    },
    {
      provide: Revocations,
      inject: [STATE_STORE, STATE_OPTIONS],
      useFactory: (store: StateStore, options: StateModuleOptions) =>
        Revocations.open(store, options),
    },
    {
      provide: SuccessorUses,
      inject: [STATE_STORE],
      useFactory: (store: StateStore) => new SuccessorUses(store),
    },
  ],
  exports: [STATE_STORE, Revocations, SuccessorUses],
})
export class StateModule extends ConfigurableStateModule {}
