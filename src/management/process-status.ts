/** A key of a set; nothing secret. Times in seconds since 1970. */
export interface KeyStatus {
  readonly kid: string;
  /** As the key says it, else its type. */
  readonly alg: string;
  /** Where it stands in its rotation; `undefined` for a plain JWK. */
  readonly state: string | undefined;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
}

/** A set of keys, as one process has it. */
export interface KeySetStatus {
  /** Where it comes from. */
  readonly source: string;
  /** Tokens are signed with keys of it. */
  readonly signs: boolean;
  /** Since it was loaded; `undefined` while there is none. */
  readonly ageSeconds: number | undefined;
  /** Since the source stopped giving a usable set; 0 while it does. */
  readonly staleSeconds: number;
  /** Why it does not. */
  readonly problem: string | undefined;
  /** Of the set that signs only. */
  readonly keys: readonly KeyStatus[];
  /** Keys that are not used, a line each. */
  readonly skipped: readonly string[];
  /** How many there are; the lists above may be shorter. */
  readonly keyCount: number;
  readonly skippedCount: number;
}

/** What the states of the signing keys of one algorithm ask for next. */
export interface RotationStatus {
  readonly alg: string;
  readonly step: string;
  readonly kids: readonly string[];
  /** Seconds since 1970. */
  readonly at: number;
}

/** A request that was refused; without its URL, its headers and its body. */
export interface RefusalStatus {
  /** Seconds since 1970, with their fraction. */
  readonly at: number;
  readonly code: string;
  readonly status: number;
  readonly method: string;
  /** The pattern of the route. */
  readonly route: string;
  readonly requestId: string;
}

/** What one process that serves requests says of itself. Its lists are bounded. */
export interface ProcessStatus {
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** Share of the time in which the event loop was busy, since the question before; 0 to 1. */
  readonly load: number;
  readonly keySets: readonly KeySetStatus[];
  readonly keySetCount: number;
  readonly rotation: readonly RotationStatus[];
  readonly issuers: readonly {
    readonly issuer: string;
    /** Its tokens are signed here. */
    readonly own: boolean;
    /** Of its keys. */
    readonly source: string;
  }[];
  readonly store: {
    readonly description: string;
    /** Since it was last seen; 0 while it answers. */
    readonly staleSeconds: number;
    /** Of its last answer. */
    readonly delaySeconds: number;
    readonly readOnly: string | undefined;
    readonly clockSkew: number;
    /** In force, by what they name. */
    readonly revocations: Readonly<Record<string, number>>;
    readonly skippedRevocations: number;
    /** Sessions are remembered (`SESSION_LIST`). */
    readonly listsSessions: boolean;
    /** That have not expired, of all users; `undefined` where the store does not count them, or has not yet. */
    readonly sessions: { readonly count: number; readonly more: boolean } | undefined;
  };
  /** Left out where there is no backend. */
  readonly backend: BackendStatus | undefined;
  /** Since the start. */
  readonly requests: { readonly total: number; readonly failed: number };
  readonly logins: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly lastRefusals: readonly RefusalStatus[];
}

/** How the backend does. */
export interface BackendStatus {
  readonly breaker: string;
  readonly inFlight: number;
  readonly rejected: number;
  readonly retries: number;
}

/** So many entries at most are in each list of the status. */
export const STATUS_LIMITS = { sets: 20, keys: 50, skipped: 5, issuers: 50, refusals: 20 } as const;
