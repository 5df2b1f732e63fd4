/** `auth/signer` of an endpoint. */
export interface Signer {
  readonly alg: string | undefined;
  readonly kid: string | undefined;
  readonly keysToSign: readonly string[];
  readonly typ: string | undefined;
  readonly full: boolean;
  /** True if `leeway` is set, which never had an effect. */
  readonly leeway: boolean;
  readonly keys: KeyOptions;
}

/** Where keys come from. The same for signers and validators. */
export interface KeyOptions {
  readonly path: string | undefined;
  readonly url: string | undefined;
  readonly disableSecurity: boolean;
  readonly fingerprints: readonly string[];
  readonly ca: string | undefined;
  /** True if the file is encrypted in KrakenD's own way. */
  readonly encrypted: boolean;
}

/** `auth/validator` of an endpoint. */
export interface Validator {
  readonly alg: string;
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
  readonly roles: readonly string[];
  readonly rolesKey: string | undefined;
  readonly rolesKeyIsNested: boolean;
  readonly scopes: readonly string[];
  readonly scopesKey: string | undefined;
  readonly scopesMatcher: string | undefined;
  readonly propagateClaims: readonly (readonly [claim: string, header: string])[];
  /** True: each item of a list reaches the backend as a header line of its own. */
  readonly repeatLists: boolean;
  readonly authHeaderName: string | undefined;
  readonly cookieKey: string | undefined;
  readonly leewayMs: number | undefined;
  readonly identifyStrategy: string | undefined;
  readonly cache: boolean;
  /** In seconds. */
  readonly cacheDuration: number | undefined;
  readonly cooldownMs: number | undefined;
  readonly operationDebug: boolean;
  readonly keys: KeyOptions;
}

/** `auth/revoker` of the service. */
export interface Revoker {
  readonly tokenKeys: readonly string[];
  /** In seconds. */
  readonly ttl: number | undefined;
  readonly port: number | undefined;
}

/** Limit of the requests of one client address within a window. */
export interface RateLimit {
  readonly limit: number;
  readonly ttlMs: number;
}

/** How the answer of a backend is read and passed on. */
export type Encoding = 'json' | 'safejson' | 'string' | 'no-op';

/** An endpoint with one backend call. */
export interface Endpoint {
  /** Name in messages, e.g. `GET /orders/{id}`. */
  readonly label: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  /** Lower case, without `*`, cookies, and the header of the token. */
  readonly inputHeaders: readonly string[];
  /** True: all cookies of the client reach the backend. */
  readonly forwardCookies: boolean;
  /** True: the client's token reaches the backend. */
  readonly forwardToken: boolean;
  /** Without `*`. */
  readonly inputQueryStrings: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly encoding: Encoding;
  readonly backend: {
    readonly hosts: readonly string[];
    readonly path: string;
    readonly method: string;
  };
  readonly signer: Signer | undefined;
  readonly validator: Validator | undefined;
  /** Conditions on `claims`, in TypeScript, that the token has to fulfil. */
  readonly conditions: readonly string[];
  readonly rateLimit: RateLimit | undefined;
  /** Protections of the route that are not taken over. The route is refused if there are any. */
  readonly refusals: readonly string[];
}

/** The parts of a KrakenD configuration that are used. */
export interface KrakendConfig {
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly logLevel: string | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Number of endpoints in the file, including those that are left out. */
  readonly endpointCount: number;
  readonly revoker: Revoker | undefined;
  /** Lifetime of the key cache that all validators share, in seconds; `undefined` if there is none. */
  readonly sharedCacheDuration: number | undefined;
}
