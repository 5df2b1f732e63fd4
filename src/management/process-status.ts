/** A key of a set, without secret members. Times are seconds since 1970. */
export interface KeyStatus {
  readonly kid: string;
  /** Member `alg` of the key, else `kty`. */
  readonly alg: string;
  /** State in its rotation, e.g. `active`; `undefined` for a plain JWK. */
  readonly state: string | undefined;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
}

/** A key set, as one process has it. */
export interface KeySetStatus {
  /** File or URL of the set. */
  readonly source: string;
  /** True if tokens are signed with a key of this set. */
  readonly signs: boolean;
  /** Seconds since the set was loaded; `undefined` while there is none. */
  readonly ageSeconds: number | undefined;
  /** Seconds since the source last gave a usable set; 0 while it does. */
  readonly staleSeconds: number;
  /** Why the source gives no usable set. */
  readonly problem: string | undefined;
  /** The keys of the set that signs; empty for other sets. */
  readonly keys: readonly KeyStatus[];
  /** The keys that are not used, a line each. */
  readonly skipped: readonly string[];
  /** Number of keys; `keys` and `skipped` may be shorter, see {@link STATUS_LIMITS}. */
  readonly keyCount: number;
  readonly skippedCount: number;
}

/** The next step in the rotation of the keys of one algorithm. */
export interface RotationStatus {
  readonly alg: string;
  readonly step: string;
  readonly kids: readonly string[];
  /** When the step is due, in seconds since 1970. */
  readonly at: number;
}

/** A request that was refused, without URL, headers and body. */
export interface RefusalStatus {
  /** Seconds since 1970, with a fraction. */
  readonly at: number;
  readonly code: string;
  readonly status: number;
  readonly method: string;
  /** Path pattern of the route. */
  readonly route: string;
  readonly requestId: string;
}

/** The status of one process that serves requests. Its lists are bounded by {@link STATUS_LIMITS}. */
export interface ProcessStatus {
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** Utilization of the event loop since the previous request for the status, from 0 to 1. */
  readonly load: number;
  readonly keySets: readonly KeySetStatus[];
  readonly keySetCount: number;
  readonly rotation: readonly RotationStatus[];
  readonly issuers: readonly {
    readonly issuer: string;
    /** True if this gateway signs the tokens of the issuer. */
    readonly own: boolean;
    /** Source of its keys. */
    readonly source: string;
  }[];
  readonly store: {
    readonly description: string;
    /** Seconds since the last answer of the store; 0 while it answers. */
    readonly staleSeconds: number;
    /** Duration of the store's last answer, in seconds. */
    readonly delaySeconds: number;
    /** Why the store takes no writes; `undefined` while it does. */
    readonly readOnly: string | undefined;
    /** Minimum of seconds by which the machine's clock is ahead of the store's clock; negative: behind. */
    readonly clockSkew: number;
    /** Number of revocations in force, by kind (`jti`, `sub`, `sid`, `kid`). */
    readonly revocations: Readonly<Record<string, number>>;
    /** Revocations that a newer version wrote, and that this one cannot read. */
    readonly skippedRevocations: number;
    /** True if sessions are listed (`SESSION_LIST`). */
    readonly listsSessions: boolean;
    /**
     * Sessions of all users; `undefined` if the store does not count them, or has not yet. `more`: at least `count`.
     */
    readonly sessions: { readonly count: number; readonly more: boolean } | undefined;
  };
  /** `undefined` without `BackendModule`. */
  readonly backend: BackendStatus | undefined;
  /** Requests since the start; `failed`: answered with 5xx. */
  readonly requests: { readonly total: number; readonly failed: number };
  readonly logins: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly lastRefusals: readonly RefusalStatus[];
}

/** The calls to the backend. */
export interface BackendStatus {
  readonly breaker: string;
  readonly inFlight: number;
  readonly rejected: number;
  readonly retries: number;
}

/** Maximum number of entries of the lists in the status. */
export const STATUS_LIMITS = { sets: 20, keys: 50, skipped: 5, issuers: 50, refusals: 20 } as const;
