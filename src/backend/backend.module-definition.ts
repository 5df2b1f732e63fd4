import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import type { HopOptions } from '../core/verify/index.js';
import type { JsonTypes } from './backend-call.js';
import type { BreakerOptions } from '../core/resilience/index.js';
import { HOP_KINDS, kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** How the backend is reached, and what of a client's request it may see. */
export interface BackendModuleOptions {
  /**
   * Base URL, e.g. `http://fake_api` or `https://login.internal/base`. Several hosts take turns; one that fails is
   * left out until it answers again. Connections and circuit breakers are per host.
   */
  host: string | readonly string[];
  /** Total deadline of one call in milliseconds, from connecting to the last byte. Default 2000. */
  timeoutMs?: number;
  /** Largest answer in bytes, after decompression. Default 1 MiB. */
  maxBodyBytes?: number;
  /** Largest body of a client's request that `BackendClient.proxy` passes on, in bytes. Default 1 MiB. */
  maxRequestBytes?: number;
  /** What JSON answers may be declared as, where a call does not say. Default `declared`. */
  jsonTypes?: JsonTypes;
  /**
   * Whether calls carry a signed token for this backend alone, in `Txn-Token`, and what it holds; see `HopOptions`.
   * Calls and routes may say more about it. Needs `SigningModule`. Default false.
   */
  hop?: boolean | HopOptions;
  /** Names of client headers that are forwarded. Default: none. */
  inputHeaders?: readonly string[];
  /**
   * Names of client cookies that are forwarded; `*`: all. Cookies that hold a token never are. Default: none.
   */
  inputCookies?: readonly string[];
  /**
   * Whether calls with `from` carry `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`: the client's
   * address and those of proxies that Express' `trust proxy` names, and what the client addressed. Default true.
   */
  forwarded?: boolean;
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
  /**
   * Whether Nest's logger gets a line of level error for each call that fails: no connection, no answer in time, a
   * status of 5xx. It names the host and the port. Default true; without it where the lines of requests say it.
   */
  logFailures?: boolean;
}

/** Bounds of every call; see {@link BackendModuleOptions}. */
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

/** Milliseconds of one call, where nobody says otherwise. */
export const DEFAULT_TIMEOUT_MS = 2000;
/** Bytes of an answer, and of a request that is passed on, where nobody says otherwise. */
export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** The limits that `options` set, and the defaults of the others. */
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

/** For tests. */
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
