import { X509Certificate } from 'node:crypto';
import * as nodeTls from 'node:tls';
import { Agent, EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import { KeyError, type KeyUrlOptions } from '../../core/keys/index.js';
import { identityCheck } from './spki-pin.js';

/** What decides whom a connection for keys may talk to, and by which way. */
export type RemoteTrust = Pick<
  KeyUrlOptions,
  'fingerprints' | 'fingerprintsMatch' | 'ca' | 'proxy'
>;

/**
 * Connections for one key source. Fetches are minutes apart, so each has a connection of its own: no
 * keep-alive and no resumed TLS sessions, which would skip the check of the certificate.
 */
export class RemoteAgent {
  private readonly ways: Readonly<Record<'http' | 'https', Dispatcher>>;

  /**
   * @param timeoutMs milliseconds for a connection, TLS included
   * @param kept connections that are kept for the next call, for what is called with requests. Default: none is
   * @throws KeyError when the CA is no certificate, a fingerprint is none, or a proxy is no URL
   */
  constructor(trust: RemoteTrust, timeoutMs: number, kept = 0) {
    const { fingerprints = [], fingerprintsMatch = 'leaf', ca, proxy = {} } = trust;
    const tls = {
      timeout: timeoutMs,
      maxCachedSessions: 0,
      // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect.
      rejectUnauthorized: true,
      checkServerIdentity: identityCheck(fingerprints, fingerprintsMatch),
      ...(ca === undefined ? {} : { secureContext: trustAlso(ca) }),
    };
    const options = {
      allowH2: false,
      connections: Math.max(1, kept),
      // 0: one request per connection, and no keep-alive.
      pipelining: kept === 0 ? 0 : 1,
      // The caller has a deadline for the whole call; undici's timers are coarse.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxCachedSessions: 0,
      connect: tls,
    };
    const byProxy = {
      ...options,
      // Empty texts: without them undici would read the environment by itself.
      httpProxy: '',
      httpsProxy: '',
      noProxy: proxy.no ?? '',
      // The proxy is not the server: pins and the extra authority are about the latter.
      requestTls: tls,
      proxyTls: { timeout: timeoutMs, rejectUnauthorized: true },
      // A proxy that takes the question for a tunnel and says nothing would hold up all fetches after it.
      clientFactory: (origin: URL, client: object) =>
        new Pool(origin, { ...client, headersTimeout: timeoutMs }),
    };
    // A proxy for one scheme is not used for the other, as in curl.
    const { http, https } = proxy;
    for (const one of [http, https]) if (one !== undefined) assertProxy(one);
    this.ways = {
      http:
        http === undefined
          ? new Agent(options)
          : new EnvHttpProxyAgent({ ...byProxy, httpProxy: http }),
      https:
        https === undefined
          ? new Agent(options)
          : new EnvHttpProxyAgent({ ...byProxy, httpsProxy: https }),
    };
  }

  /** The way to the server of a URL. */
  to({ protocol }: URL): Dispatcher {
    return this.ways[protocol === 'https:' ? 'https' : 'http'];
  }

  /** Breaks off what is under way; nothing is fetched any more. */
  close(): void {
    for (const way of Object.values(this.ways)) void way.destroy();
  }
}

/** The text may hold a password, so no message repeats it. */
function assertProxy(text: string): void {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new KeyError('a proxy of the option remote.proxy of JwksModule is no http or https URL');
}

/** The usual roots and this one, parsed once instead of per connection. */
function trustAlso(ca: string): nodeTls.SecureContext {
  try {
    // createSecureContext ignores what it cannot parse, so it is parsed here first.
    void new X509Certificate(ca);
    return nodeTls.createSecureContext({ ca: [...nodeTls.getCACertificates('default'), ca] });
  } catch {
    throw new KeyError('the extra certificate authority is not a certificate in PEM');
  }
}
