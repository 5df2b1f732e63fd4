import type { Agent } from 'undici';
import {
  KeyError,
  STANDARD_REFRESH,
  type KeyDocument,
  type KeyProvider,
  type RefreshPolicy,
} from '../core/keys/index.js';
import { createRemoteAgent } from './remote-agent.js';
import { FETCH_DEADLINE_MS, fetchJson } from './remote-fetch.js';

/** How a remote key set is fetched. */
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
  /** Accept `http:` URLs. Never touches the verification of TLS. Default false. */
  allowHttp?: boolean;
  /** Pins: base64url SHA-256 of the SPKI of the server's own certificate; one of them has to match. */
  fingerprints?: readonly string[];
  /** PEM of a certificate authority that is trusted beside the usual ones. */
  ca?: string;
}

/** A JWK Set behind a URL. */
export class KeyUrl implements KeyProvider {
  readonly remote = true;
  /** Origin and path: the query of a URL may hold a secret. */
  readonly source: string;
  readonly refresh: RefreshPolicy;
  private readonly url: URL;
  private readonly agent: Agent;

  /**
   * @param publicOnly false for our own signing keys
   * @throws KeyError when the URL must not be used, or a pin or the CA is unusable
   */
  constructor(
    url: string,
    options: KeyUrlOptions,
    readonly publicOnly = true,
  ) {
    this.url = checkedUrl(url, options);
    this.source = `${this.url.origin}${this.url.pathname}`;
    this.refresh = {
      cacheTtl: options.cacheTtl ?? STANDARD_REFRESH.cacheTtl,
      cooldown: options.cooldown ?? STANDARD_REFRESH.cooldown,
      maxStaleSeconds: options.maxStaleSeconds ?? STANDARD_REFRESH.maxStaleSeconds,
    };
    this.agent = prefixed(this.source, () => createRemoteAgent(options, FETCH_DEADLINE_MS));
  }

  async read(): Promise<KeyDocument> {
    try {
      return { text: await fetchJson(this.url, this.agent) };
    } catch (error) {
      throw withSource(this.source, error);
    }
  }

  /** Nobody tells of changes; `refresh` says when to look. */
  watch(): () => void {
    return () => undefined;
  }

  close(): void {
    void this.agent.destroy();
  }
}

function checkedUrl(text: string, { allowHttp, fingerprints = [] }: KeyUrlOptions): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new KeyError('a JWK URL is not an http or https URL');
  const source = `${url.origin}${url.pathname}`;
  if (url.username !== '' || url.password !== '')
    throw new KeyError(`${source}: the URL holds credentials, which would end up in logs`);
  if (url.protocol === 'https:') return url;
  if (allowHttp !== true)
    throw new KeyError(`${source}: must be https, or whoever is in between chooses the keys`);
  if (fingerprints.length > 0)
    throw new KeyError(`${source}: fingerprints prove nothing without https`);
  return url;
}

function prefixed<Result>(source: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw withSource(source, error);
  }
}

const withSource = (source: string, error: unknown): unknown =>
  error instanceof KeyError ? new KeyError(`${source}: ${error.message}`) : error;
