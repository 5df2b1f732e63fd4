import { Module, type DynamicModule } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { BACKEND_CLIENT, HopTokensModule, ReservedHeadersModule } from '../http/index.js';
import { missingPackage } from '../packages/index.js';
import { BackendClient } from './backend-client.service.js';
import { BACKEND_HTTP } from './backend-http.js';
import {
  ConfigurableBackendModule,
  type BACKEND_ASYNC_OPTIONS_TYPE,
  type BACKEND_OPTIONS_TYPE,
} from './backend.module-definition.js';
import { BackendTransport } from './transport/backend-transport.js';

/**
 * Provides {@link BackendClient}, and the `HttpService` of `@nestjs/axios` whose interceptors its calls pass. Needs
 * `@nestjs/axios` and `axios`, which are loaded when the module is imported.
 */
@Module({
  imports: [ReservedHeadersModule, HopTokensModule],
  providers: [
    BackendTransport,
    BackendClient,
    { provide: BACKEND_CLIENT, useExisting: BackendClient },
  ],
  exports: [BackendClient, BACKEND_CLIENT],
})
export class BackendModule {
  /** @returns the module for `imports`. The boot fails with BootError for options of a wrong type or name */
  static forRoot(options: typeof BACKEND_OPTIONS_TYPE): Promise<DynamicModule> {
    return withHttp(ConfigurableBackendModule.forRoot(options));
  }

  /** @returns the module for `imports`. The boot fails with BootError for options of a wrong type or name */
  static forRootAsync(options: typeof BACKEND_ASYNC_OPTIONS_TYPE): Promise<DynamicModule> {
    return withHttp(ConfigurableBackendModule.forRootAsync(options));
  }
}

/**
 * Adds the providers that need axios. If they cannot be loaded, a provider throws the error, so that Nest reports it: a
 * rejected promise might have no handler yet.
 */
async function withHttp(definition: DynamicModule): Promise<DynamicModule> {
  const { providers = [], ...rest } = definition;
  const { httpProviders } = await import('./backend-http.service.js').catch(withoutAxios);
  const both = [...providers, ...(httpProviders.providers ?? [])];
  return { ...rest, ...httpProviders, module: BackendModule, providers: both };
}

async function withoutAxios(failure: unknown): Promise<{ httpProviders: Partial<DynamicModule> }> {
  const problem = await missingPackage(failure, ['@nestjs/axios', 'axios']);
  const useFactory = (): never => {
    throw problem === undefined ? failure : new BootError(`BackendModule: ${problem}`);
  };
  return { httpProviders: { providers: [{ provide: BACKEND_HTTP, useFactory }] } };
}
