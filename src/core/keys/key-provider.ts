/** When a remote set is fetched, in seconds. */
export interface RefreshPolicy {
  /** How long a fetched set is fresh. */
  readonly cacheTtl: number;
  /** Least time between two fetches that are not due, i.e. because of unknown kids. */
  readonly cooldown: number;
  /** How much longer than `cacheTtl` a set is used while every fetch fails. */
  readonly maxStaleSeconds: number;
}

/** How a remote set is fetched where nobody says otherwise. */
export const STANDARD_REFRESH: RefreshPolicy = {
  cacheTtl: 900,
  cooldown: 10,
  maxStaleSeconds: 86_400,
};

/** Milliseconds between two looks at a key file where nobody says otherwise. */
export const RELOAD_INTERVAL_MS = 1000;

/** The text of a key set as a provider found it. */
export interface KeyDocument {
  /** JWK Set or single JWK as JSON; never encrypted any more. */
  readonly text: string;
  /** How others can get at secrets in it, e.g. file permissions; `undefined` when they cannot. */
  readonly exposure?: string;
  /** `alg` values that the owner of the set announces; `undefined` where it announces none. */
  readonly algorithms?: readonly string[];
}

/**
 * Where a key set comes from: a file, a URL, a vault. A provider only fetches; parsing, checking,
 * keeping the last good set and selecting keys happen elsewhere.
 */
export interface KeyProvider {
  /** For messages: a path or a URL, without secrets. */
  readonly source: string;
  /** True where the network is in between: an unreachable source does not stop the boot. */
  readonly remote: boolean;
  /** True for sets of somebody else: only public keys are accepted, kinds of no use to us are skipped. */
  readonly publicOnly: boolean;
  /** When to look again without being told of a change. Left out: never. */
  readonly refresh?: RefreshPolicy;
  /**
   * Fetches the set, in bounded time.
   *
   * @throws KeyError in one line, without any of the contents
   */
  read(): Promise<KeyDocument>;
  /**
   * Calls `changed` whenever the keys may have changed.
   *
   * @returns ends the watching
   */
  watch(changed: () => void): () => void;
  /** Gives back connections and the like; nothing is read any more. */
  close?(): void;
}

/** How one remote set is fetched; what is left out comes from the option `remote` of `JwksModule`. */
export interface KeyUrlOptions {
  /** Seconds for which a fetched set is fresh; it is fetched again after about 80 % of them. Default 900. */
  cacheTtl?: number;
  /** Seconds after a fetch in which unknown kids lead to no other one. Default 10. */
  cooldown?: number;
  /**
   * Seconds beyond `cacheTtl` for which the last good set is used while every fetch fails; then it
   * is dropped, and its tokens get 503 `keys_unavailable`. Looked at after each failed fetch, i.e.
   * at most half a minute late. Default 86400.
   */
  maxStaleSeconds?: number;
  /** Milliseconds from the call to the last byte of a fetch, of metadata and keys together. Default 2000. */
  timeoutMs?: number;
  /** Accept `http:` URLs. Never touches the verification of TLS. Default false. */
  allowHttp?: boolean;
  /** Hosts whose sets and metadata may come by `http:` all the same, e.g. inside of a cluster. */
  httpHosts?: readonly string[];
  /** Pins: base64url SHA-256 of the SPKI of a certificate; one of them has to match. */
  fingerprints?: readonly string[];
  /** Which certificate a pin is compared with: the server's own (default), or any of its chain. */
  fingerprintsMatch?: 'leaf' | 'chain';
  /** PEM of a certificate authority that is trusted beside the usual ones. */
  ca?: string;
  /**
   * Proxies by which sets and metadata are fetched, for URLs of each scheme, e.g. `http://proxy.example:3128`;
   * `no` lists hosts that are asked without one, as NO_PROXY does. A URL may hold user and password. Default:
   * none, whatever the environment says.
   */
  proxy?: { http?: string; https?: string; no?: string };
}

/** Options that one source has for itself. */
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
