import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { BreakerOptions } from './circuit-breaker.js';

/** How the backend is reached, and what of a client's request it may see. */
export interface BackendModuleOptions {
  /** Base URL, e.g. `http://fake_api` or `https://login.internal/base`. */
  host: string;
  /** Total deadline of one call in milliseconds, from connecting to the last byte. Default 2000. */
  timeoutMs?: number;
  /** Largest answer in bytes, after decompression. Default 1 MiB. */
  maxBodyBytes?: number;
  /** Names of client headers that are forwarded. Default: none. */
  inputHeaders?: readonly string[];
  /** Names of query parameters that are forwarded. Default: none. */
  inputQueryStrings?: readonly string[];
  /** How long one attempt to connect may take, in milliseconds; never past `timeoutMs`. Default 1000. */
  connectTimeoutMs?: number;
  /** Most connections to the backend, each with one call at a time. Default 256. */
  maxConnections?: number;
  /** Most calls that wait for a connection; further ones fail at once. Default 1024. */
  maxWaiting?: number;
  /** When calls are no longer tried because the backend fails; `false`: they always are. */
  breaker?: BreakerOptions | false;
}

export const {
  ConfigurableModuleClass: ConfigurableBackendModule,
  MODULE_OPTIONS_TOKEN: BACKEND_OPTIONS,
  OPTIONS_TYPE: BACKEND_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: BACKEND_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<BackendModuleOptions>({ moduleName: 'Backend' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
