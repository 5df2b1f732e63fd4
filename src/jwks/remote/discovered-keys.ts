import { KeyError, type KeyDocument, type KeyUrlOptions } from '../../core/keys/index.js';
import { isJsonObject } from '../../core/json/index.js';
import {
  isAsymmetric,
  isJwsAlgorithm,
  isSameAlgorithm,
  JWS_ALGORITHMS,
} from '../../core/jws/index.js';
import { checkedUrl } from './key-url.js';
import { fetchJson } from './remote-fetch.js';
import { RemoteKeys } from './remote-keys.js';

/** Members of the metadata that say which algorithms an issuer signs with. */
const ALGORITHM_MEMBERS = [
  'id_token_signing_alg_values_supported',
  'userinfo_signing_alg_values_supported',
  'introspection_signing_alg_values_supported',
  'access_token_signing_alg_values_supported',
];

/** Shortest remaining time for a further fetch, in milliseconds. Timers may fire that early. */
const SHORTEST_FETCH_MS = 10;

/**
 * The key set of an issuer, found by its metadata: OpenID Connect Discovery 1.0 section 4, then RFC 8414
 * section 3, with the well-known path before or behind the issuer's own path. The metadata are fetched
 * again with each set, so that a moved `jwks_uri` is followed.
 */
export class DiscoveredKeys extends RemoteKeys {
  private readonly issuer: URL;
  /** URL at which the metadata were found the last time. */
  private found: URL | undefined;

  /** @throws KeyError when the issuer is not a URL that may be fetched, or a pin or the CA is invalid */
  constructor(
    issuer: string,
    private readonly options: KeyUrlOptions,
  ) {
    const checked = checkedUrl(issuer, options);
    if (checked.search !== '' || checked.hash !== '')
      throw new KeyError(
        `${issuer}: an issuer has neither query nor fragment (RFC 8414 section 2)`,
      );
    // The issuer is no secret, since tokens contain it. It is compared exactly, so it is used as it was written: the
    // parser adds a slash.
    super(issuer, true, options);
    this.issuer = checked;
  }

  protected async fetch(): Promise<KeyDocument> {
    // One deadline for metadata and keys together, since requests may wait for both.
    const end = performance.now() + this.timeoutMs;
    const left = (): number => Math.ceil(end - performance.now());
    const metadata = await this.metadata(left);
    const uri = metadata.jwks_uri;
    if (typeof uri !== 'string') throw new KeyError('the metadata have no jwks_uri');
    const url = checkedUrl(uri, this.options);
    return {
      text: await fetchJson(url, this.agent.to(url), Math.max(1, left())),
      algorithms: announcedAlgorithms(metadata),
    };
  }

  private async metadata(left: () => number): Promise<Record<string, unknown>> {
    const candidates = this.found === undefined ? metadataUrls(this.issuer) : [this.found];
    let failure: unknown;
    for (const url of candidates) {
      try {
        const metadata = parseMetadata(
          await fetchJson(url, this.agent.to(url), Math.max(1, left())),
          this.source,
        );
        this.found = url;
        return metadata;
      } catch (error) {
        // The error of the first candidate is the most helpful one.
        failure ??= error;
        if (left() < SHORTEST_FETCH_MS) break;
      }
    }
    this.found = undefined;
    throw failure;
  }
}

/** Returns the URLs at which metadata may be, in the order in which they are tried. */
export function metadataUrls({ origin, pathname }: URL): readonly URL[] {
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  const urls = [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/oauth-authorization-server`,
  ];
  return [...new Set(urls)].map((url) => new URL(url));
}

function parseMetadata(text: string, issuer: string): Record<string, unknown> {
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch {
    throw new KeyError('the metadata are not valid JSON');
  }
  if (!isJsonObject(metadata)) throw new KeyError('the metadata are not a JSON object');
  // OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3: no normalization.
  if (metadata.issuer !== issuer)
    throw new KeyError('the metadata are of another issuer: `issuer` has to be the same text');
  return metadata;
}

/**
 * Returns the announced asymmetric algorithms that are supported, under all of their names; `undefined` if the metadata
 * announce no algorithms.
 *
 * @throws KeyError when none of the announced algorithms can be used
 */
function announcedAlgorithms(metadata: Record<string, unknown>): readonly string[] | undefined {
  const named = ALGORITHM_MEMBERS.flatMap((member) => {
    const value = metadata[member];
    return Array.isArray(value) ? (value as unknown[]) : [];
  });
  const usable = named.filter(isJwsAlgorithm).filter(isAsymmetric);
  if (named.length === 0) return undefined;
  if (usable.length === 0)
    throw new KeyError('the metadata announce no asymmetric algorithm that is supported here');
  // A provider that announces EdDSA may say Ed25519 in its tokens, and the other way round.
  return JWS_ALGORITHMS.filter((alg) => usable.some((one) => isSameAlgorithm(one, alg)));
}
