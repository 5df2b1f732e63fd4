/** `auth/signer` of an endpoint. */
export interface Signer {
  readonly alg: string | undefined;
  readonly kid: string | undefined;
  readonly keysToSign: readonly string[];
  readonly typ: string | undefined;
  readonly full: boolean;
  /** It has an option that never had an effect. */
  readonly leeway: boolean;
  readonly keys: KeyOptions;
}

/** Where keys come from; the same for signer and validator. */
export interface KeyOptions {
  readonly path: string | undefined;
  readonly url: string | undefined;
  readonly disableSecurity: boolean;
  readonly fingerprints: readonly string[];
  readonly ca: string | undefined;
  /** The file is encrypted by KrakenD's own means. */
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
  /** The items of a list reach the backend as a header line each. */
  readonly repeatLists: boolean;
  readonly authHeaderName: string | undefined;
  readonly cookieKey: string | undefined;
  readonly leewayMs: number | undefined;
  readonly identifyStrategy: string | undefined;
  readonly cache: boolean;
  /** Seconds. */
  readonly cacheDuration: number | undefined;
  readonly cooldownMs: number | undefined;
  readonly operationDebug: boolean;
  readonly keys: KeyOptions;
}

/** `auth/revoker` of the service. */
export interface Revoker {
  readonly tokenKeys: readonly string[];
  /** Seconds. */
  readonly ttl: number | undefined;
  readonly port: number | undefined;
}

/** Requests of one client address within a time. */
export interface RateLimit {
  readonly limit: number;
  readonly ttlMs: number;
}

/** How an answer is read and passed on. */
export type Encoding = 'json' | 'safejson' | 'string' | 'no-op';

/** An endpoint with one backend call. */
export interface Endpoint {
  /** For messages: `GET /orders/{id}`. */
  readonly label: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  /** Lower case, without `*`, cookies, and the header of the token. */
  readonly inputHeaders: readonly string[];
  /** All cookies of the client reach the backend. */
  readonly forwardCookies: boolean;
  /** The client's token reaches the backend. */
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
  /** What protected the route and is not taken over; while there is something, it is refused. */
  readonly refusals: readonly string[];
}

/** What matters of a KrakenD configuration. */
export interface KrakendConfig {
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly logLevel: string | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Endpoints of the file, with those that are left out. */
  readonly endpointCount: number;
  readonly revoker: Revoker | undefined;
  /** The service shares one cache of keys between all validators. Seconds. */
  readonly sharedCacheDuration: number | undefined;
}
