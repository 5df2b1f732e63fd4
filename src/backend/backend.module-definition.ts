import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import type { HopOptions } from '../core/verify/index.js';
import type { JsonTypes } from './backend-call.js';
import type { BreakerOptions } from '../core/resilience/index.js';
import { HOP_KINDS, kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `BackendModule`. */
export interface BackendModuleOptions {
  /**
   * Base URL, e.g. `http://fake_api` or `https://login.internal/base`. Several hosts are used in turn; one that fails
   * is left out until it answers again. Each host has connections and a circuit breaker of its own.
   */
  host: string | readonly string[];
  /** Total deadline of one call in milliseconds, from connecting to the last byte. Default 2000. */
  timeoutMs?: number;
  /** Largest answer in bytes, after decompression. Default 1 MiB. */
  maxBodyBytes?: number;
  /** Largest request body that `BackendClient.proxy` forwards, in bytes. Default 1 MiB. */
  maxRequestBytes?: number;
  /** Accepted content types of JSON answers. A call can override it. Default `declared`. */
  jsonTypes?: JsonTypes;
  /**
   * True, or options: calls carry a signed token for this backend in `Txn-Token`, see `HopOptions`. Calls and routes
   * can override it. Needs `SigningModule`. Default false.
   */
  hop?: boolean | HopOptions;
  /** Names of client headers that are forwarded. Default: none. */
  inputHeaders?: readonly string[];
  /**
   * Names of client cookies that are forwarded; `*`: all. Cookies with a token are never forwarded. Default: none.
   */
  inputCookies?: readonly string[];
  /**
   * True: calls with `from` carry `X-Forwarded-For` (addresses of the client and of the proxies that `trust proxy` of
   * Express names), `X-Forwarded-Host` and `X-Forwarded-Proto`. Default true.
   */
  forwarded?: boolean;
  /** Names of query parameters that are forwarded. Default: none. */
  inputQueryStrings?: readonly string[];
  /** Timeout of one attempt to connect in milliseconds, at most `timeoutMs`. Default 1000. */
  connectTimeoutMs?: number;
  /** Maximum number of connections to the backend, each with one call at a time. Default 256. */
  maxConnections?: number;
  /** Maximum number of calls that wait for a connection. Further calls fail at once. Default 1024. */
  maxWaiting?: number;
  /** Circuit breaker, which makes calls fail at once while the backend fails; `false`: no circuit breaker. */
  breaker?: BreakerOptions | false;
  /**
   * True (default): each failed call (no connection, no answer in time, 5xx) is logged as an error, with host and port.
   * Set it to false where an access log has the same.
   */
  logFailures?: boolean;
}

/** The limits of calls, see {@link BackendModuleOptions}. */
export type BackendLimits = Required<
  Pick<
    BackendModuleOptions,
    | 'timeoutMs'
    | 'maxBodyBytes'
    | 'maxRequestBytes'
    | 'connectTimeoutMs'
    | 'maxConnections'
    | 'maxWaiting'
  >
>;

/** Default deadline of one call in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 2000;
/** Default limit in bytes of an answer, and of a request that is forwarded. */
export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** The limits of `options`, with defaults. */
export const backendLimits = ({
  timeoutMs = DEFAULT_TIMEOUT_MS,
  maxBodyBytes = DEFAULT_MAX_BODY_BYTES,
  maxRequestBytes = DEFAULT_MAX_BODY_BYTES,
  connectTimeoutMs = 1000,
  maxConnections = 256,
  maxWaiting = 1024,
}: Omit<BackendModuleOptions, 'host'>): BackendLimits => ({
  timeoutMs,
  maxBodyBytes,
  maxRequestBytes,
  connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs),
  maxConnections,
  maxWaiting,
});

/** The types of the options, checked at boot. Exported for tests. */
export const BACKEND_KINDS: OptionKinds<BackendModuleOptions> = {
  host: kinds.textOrTexts,
  timeoutMs: kinds.number('milliseconds'),
  maxBodyBytes: kinds.whole('bytes'),
  maxRequestBytes: kinds.whole('bytes'),
  jsonTypes: kinds.oneOf('declared', 'any'),
  hop: kinds.orElse(kinds.orElse(kinds.members(HOP_KINDS), true), false),
  inputHeaders: kinds.texts,
  inputCookies: kinds.texts,
  forwarded: kinds.flag,
  inputQueryStrings: kinds.texts,
  connectTimeoutMs: kinds.number('milliseconds'),
  maxConnections: kinds.whole('connections', 1),
  maxWaiting: kinds.whole('calls'),
  breaker: kinds.orElse(
    kinds.members({
      failures: kinds.whole('failures', 1),
      withinMs: kinds.number('milliseconds'),
      probeEveryMs: kinds.number('milliseconds'),
    }),
    false,
  ),
  logFailures: kinds.flag,
};

export const {
  ConfigurableModuleClass: ConfigurableBackendModule,
  MODULE_OPTIONS_TOKEN: BACKEND_OPTIONS,
  OPTIONS_TYPE: BACKEND_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: BACKEND_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<BackendModuleOptions>({ moduleName: 'Backend' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      BACKEND_OPTIONS,
      'BackendModule',
      BACKEND_KINDS,
    ),
  )
  .build();
