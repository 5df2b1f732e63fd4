/** When a remote key set is fetched. All members are seconds. */
export interface RefreshPolicy {
  /** How long a fetched set is fresh. */
  readonly cacheTtl: number;
  /** Shortest time between two fetches because of unknown kids. */
  readonly cooldown: number;
  /** How long beyond `cacheTtl` a set is used while every fetch fails. */
  readonly maxStaleSeconds: number;
}

/** The default {@link RefreshPolicy}. */
export const STANDARD_REFRESH: RefreshPolicy = {
  cacheTtl: 900,
  cooldown: 10,
  maxStaleSeconds: 86_400,
};

/** Default milliseconds between two reads of a key file. */
export const RELOAD_INTERVAL_MS = 1000;

/** The text of a key set. */
export interface KeyDocument {
  /** JWK Set or single JWK in JSON, decrypted. */
  readonly text: string;
  /** Why other users can read its secrets, e.g. its file permissions; `undefined` if they cannot. */
  readonly exposure?: string;
  /** Algorithms that the owner of the set announces; `undefined` if it announces none. */
  readonly algorithms?: readonly string[];
}

/**
 * Source of a key set: a file, a URL, a vault. A provider only fetches the text. Parsing, checks, the last good set and
 * the selection of keys are done by `JwksModule`.
 */
export interface KeyProvider {
  /** Name in messages: a path or a URL, without secrets. */
  readonly source: string;
  /** True for a source on the network: the boot does not fail if it cannot be reached. */
  readonly remote: boolean;
  /** True for the key set of another party: only public keys are accepted, and unusable keys are skipped. */
  readonly publicOnly: boolean;
  /** When the set is fetched again without a call of `changed`. Default: never. */
  readonly refresh?: RefreshPolicy;
  /**
   * Fetches the set, in bounded time.
   *
   * @throws KeyError with one line, without contents of the set
   */
  read(): Promise<KeyDocument>;
  /**
   * Calls `changed` whenever the keys may have changed.
   *
   * @returns a function that ends the watching
   */
  watch(changed: () => void): () => void;
  /** Releases resources. `read` is not called any more. */
  close?(): void;
}

/** How a remote key set is fetched. The defaults of a route are the option `remote` of `JwksModule`. */
export interface KeyUrlOptions {
  /** Seconds for which a fetched set is fresh; it is fetched again after about 80 % of them. Default 900. */
  cacheTtl?: number;
  /** Seconds after a fetch in which an unknown kid causes no further fetch. Default 10. */
  cooldown?: number;
  /**
   * Seconds beyond `cacheTtl` for which the last good set is used while every fetch fails. Then it is dropped, and its
   * tokens get 503 `keys_unavailable`. This is checked after each failed fetch, so at most half a minute late. Default
   * 86400.
   */
  maxStaleSeconds?: number;
  /** Timeout of a fetch in milliseconds, to the last byte; for metadata and keys together. Default 2000. */
  timeoutMs?: number;
  /** True: `http:` URLs are allowed. It does not change the verification of TLS. Default false. */
  allowHttp?: boolean;
  /** Hosts from which `http:` is allowed, e.g. within a cluster. Default: none. */
  httpHosts?: readonly string[];
  /** Pins of certificates: base64url SHA-256 of the SPKI. One of them has to match. Default: none. */
  fingerprints?: readonly string[];
  /** The certificates that pins are compared with: that of the server (default), or all of its chain. */
  fingerprintsMatch?: 'leaf' | 'chain';
  /** PEM of a certificate authority that is trusted beside those of Node.js. */
  ca?: string;
  /**
   * Proxies for `http` and `https` URLs, e.g. `http://proxy.example:3128`, and the hosts without a proxy (`no`, in the
   * form of NO_PROXY). The URL of a proxy may contain user and password. Default: none; the environment is not read.
   */
  proxy?: { http?: string; https?: string; no?: string };
}

/** Options of one source. */
export interface KeySourceOptions extends KeyUrlOptions {
  /** How tokens name a key of this set. Default: the option `identifyStrategy` of `JwksModule`. */
  identifyStrategy?: 'kid' | 'x5t' | 'x5t#S256' | 'kid_x5t';
}

/**
 * A key set: a file (path relative to the working directory), a URL, an issuer whose metadata name the URL
 * (OpenID Connect Discovery, RFC 8414), or a provider of your own.
 */
export type KeySource =
  | { path: string; options?: Pick<KeySourceOptions, 'identifyStrategy'> }
  | { url: string; options?: KeySourceOptions }
  | { discover: string; options?: KeySourceOptions }
  | KeyProvider;
