import {
  KeyError,
  STANDARD_REFRESH,
  type KeyDocument,
  type KeyProvider,
  type KeyUrlOptions,
  type RefreshPolicy,
} from '../../core/keys/index.js';
import { RemoteAgent } from './remote-agent.js';
import { fetchDeadline, fetchJson } from './remote-fetch.js';

/** A JWK Set behind a URL. */
export class KeyUrl implements KeyProvider {
  readonly remote = true;
  /** Origin and path: the query of a URL may hold a secret. */
  readonly source: string;
  readonly refresh: RefreshPolicy;
  private readonly url: URL;
  private readonly agent: RemoteAgent;
  private readonly timeoutMs: number;

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
    this.refresh = refreshPolicy(options);
    this.timeoutMs = fetchDeadline(options);
    this.agent = prefixed(this.source, () => new RemoteAgent(options, this.timeoutMs));
  }

  async read(): Promise<KeyDocument> {
    try {
      return { text: await fetchJson(this.url, this.agent.to(this.url), this.timeoutMs) };
    } catch (error) {
      throw withSource(this.source, error);
    }
  }

  /** Nobody tells of changes; `refresh` says when to look. */
  watch(): () => void {
    return () => undefined;
  }

  close(): void {
    this.agent.close();
  }
}

/**
 * A URL that keys or metadata may be fetched from.
 *
 * @throws KeyError when it is no http(s) URL, holds credentials, or is `http:` where that is not allowed
 */
export function checkedUrl(
  text: string,
  { allowHttp, httpHosts = [], fingerprints = [] }: KeyUrlOptions,
): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new KeyError('a JWK URL is not an http or https URL');
  const source = `${url.origin}${url.pathname}`;
  if (url.username !== '' || url.password !== '')
    throw new KeyError(`${source}: the URL holds credentials, which would end up in logs`);
  if (url.protocol === 'https:') return url;
  if (allowHttp !== true && !httpHosts.includes(url.hostname))
    throw new KeyError(`${source}: must be https, or whoever is in between chooses the keys`);
  if (fingerprints.length > 0)
    throw new KeyError(`${source}: fingerprints prove nothing without https`);
  return url;
}

/** When a set with these options is fetched again. */
export const refreshPolicy = (options: KeyUrlOptions): RefreshPolicy => ({
  cacheTtl: options.cacheTtl ?? STANDARD_REFRESH.cacheTtl,
  cooldown: options.cooldown ?? STANDARD_REFRESH.cooldown,
  maxStaleSeconds: options.maxStaleSeconds ?? STANDARD_REFRESH.maxStaleSeconds,
});

/** Does something whose errors are to name the source. */
export function prefixed<Result>(source: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw withSource(source, error);
  }
}

/** The error of a fetch, with the source before its reason. */
export const withSource = (source: string, error: unknown): unknown =>
  error instanceof KeyError ? new KeyError(`${source}: ${error.message}`) : error;
