import { KeyProblem } from './key-problem.js';
import type { KeyDocument, KeyProvider } from './key-provider.js';

/** How a remote key set is fetched. */
export interface KeyUrlOptions {
  /** Seconds for which a fetched set is fresh; it is fetched again before that. Default 900. */
  cacheTtl?: number;
  /** Seconds between two fetches because of unknown kids. Default 10. */
  cooldown?: number;
  /** Accept `http:` URLs. Default false. */
  allowHttp?: boolean;
  /** Pins: base64url SHA-256 of the SPKI of the server's own certificate; one of them has to match. */
  fingerprints?: readonly string[];
  /** PEM of a certificate authority that is trusted beside the usual ones. */
  ca?: string;
}

/** A JWK Set behind a URL. */
export class KeyUrl implements KeyProvider {
  readonly remote = true;

  constructor(
    readonly source: string,
    private readonly options: KeyUrlOptions,
  ) {}

  read(): Promise<KeyDocument> {
    void this.options;
    return Promise.reject(new KeyProblem(`${this.source}: remote sets are not supported yet`));
  }

  watch(changed: () => void): () => void {
    void changed;
    return () => undefined;
  }
}
