import { X509Certificate } from 'node:crypto';
import * as nodeTls from 'node:tls';
import { Agent, EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import { KeyError, type KeyUrlOptions } from '../../core/keys/index.js';
import { identityCheck } from './spki-pin.js';

/** Options that decide which servers are trusted, and which proxy is used. */
export type RemoteTrust = Pick<
  KeyUrlOptions,
  'fingerprints' | 'fingerprintsMatch' | 'ca' | 'proxy'
>;

/**
 * Connections for one key source or introspection endpoint. Fetches of keys are minutes apart, so each one opens a
 * connection, without keep-alive. TLS sessions are never resumed, since that would skip the check of the certificate.
 */
export class RemoteAgent {
  private readonly ways: Readonly<Record<'http' | 'https', Dispatcher>>;

  /**
   * @param timeoutMs longest time to open a connection, TLS included, in milliseconds
   * @param kept maximum number of kept connections, for servers that are called for each request. Default: none is kept
   * @throws KeyError when the CA, a fingerprint or the URL of a proxy is invalid
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
      // Empty texts, since undici would otherwise read the environment.
      httpProxy: '',
      httpsProxy: '',
      noProxy: proxy.no ?? '',
      // The proxy is not the server: pins and the extra authority are about the latter.
      requestTls: tls,
      proxyTls: { timeout: timeoutMs, rejectUnauthorized: true },
      // A proxy that accepts a CONNECT request and never answers would block all later fetches.
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

  /** Returns the dispatcher for the server of a URL. */
  to({ protocol }: URL): Dispatcher {
    return this.ways[protocol === 'https:' ? 'https' : 'http'];
  }

  /** Aborts calls that are under way. Nothing can be fetched any more. */
  close(): void {
    for (const way of Object.values(this.ways)) void way.destroy();
  }
}

/** Checks the URL of a proxy. It may hold a password, so no message repeats it. */
function assertProxy(text: string): void {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new KeyError('a proxy of the option remote.proxy of JwksModule is no http or https URL');
}

/** Returns a TLS context with the default roots and this CA, which are parsed once instead of per connection. */
function trustAlso(ca: string): nodeTls.SecureContext {
  try {
    // createSecureContext ignores what it cannot parse, so it is parsed here first.
    void new X509Certificate(ca);
    return nodeTls.createSecureContext({ ca: [...nodeTls.getCACertificates('default'), ca] });
  } catch {
    throw new KeyError('the extra certificate authority is not a certificate in PEM');
  }
}
