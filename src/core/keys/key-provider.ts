import type { RefreshPolicy } from '../../jwks/remote-schedule.js';

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
