import { KeyError, type KeyDocument, type KeyUrlOptions } from '../../core/keys/index.js';
import { fetchJson } from './remote-fetch.js';
import { RemoteKeys } from './remote-keys.js';

/** A JWK Set behind a URL. */
export class KeyUrl extends RemoteKeys {
  private readonly url: URL;

  /**
   * @param publicOnly false for our own signing keys
   * @throws KeyError when the URL must not be used, or a pin or the CA is invalid
   */
  constructor(url: string, options: KeyUrlOptions, publicOnly = true) {
    const checked = checkedUrl(url, options);
    // Without the query, which may hold a secret.
    super(`${checked.origin}${checked.pathname}`, publicOnly, options);
    this.url = checked;
  }

  protected async fetch(): Promise<KeyDocument> {
    return { text: await fetchJson(this.url, this.agent.to(this.url), this.timeoutMs) };
  }
}

/**
 * Parses a URL from which keys or metadata may be fetched.
 *
 * @throws KeyError when it is not an http(s) URL, holds credentials, or is `http:` where that is not allowed or
 * fingerprints are set
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
    throw new KeyError(
      `${source}: must be https, or anyone on the network path can replace the keys`,
    );
  if (fingerprints.length > 0)
    throw new KeyError(`${source}: fingerprints prove nothing without https`);
  return url;
}
