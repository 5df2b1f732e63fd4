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

/** An endpoint with one backend call. */
export interface Endpoint {
  /** For messages: `GET /orders/{id}`. */
  readonly label: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  readonly inputHeaders: readonly string[];
  readonly inputQueryStrings: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly backend: { readonly host: string; readonly path: string; readonly method: string };
  readonly signer: Signer | undefined;
  readonly validator: Validator | undefined;
}

/** What matters of a KrakenD configuration. */
export interface KrakendConfig {
  readonly port: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly revoker: Revoker | undefined;
  /** The service shares one cache of keys between all validators. Seconds. */
  readonly sharedCacheDuration: number | undefined;
  /** What is not taken over, each with the reason. */
  readonly notes: readonly string[];
  /** Options of the three components that KrakenD does not know either. */
  readonly unknown: readonly string[];
}
