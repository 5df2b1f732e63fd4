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

/** A key set: a file (path relative to the working directory), a URL, or a provider of your own. */
export type KeySource = { path: string } | { url: string } | KeyProvider;
