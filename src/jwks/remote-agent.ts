import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { KeyError, type KeyUrlOptions } from '../core/keys/index.js';
import { identityCheck } from './spki-pin.js';

/** What decides whom a connection for keys may talk to, and by which way. */
export type RemoteTrust = Pick<
  KeyUrlOptions,
  'fingerprints' | 'fingerprintsMatch' | 'ca' | 'proxy'
>;

/**
 * Connections for one key URL. Fetches are minutes apart, so each has a connection of its own: no
 * keep-alive and no resumed TLS sessions, which would skip the check of the certificate.
 *
 * @param timeoutMs milliseconds for a connection, TLS included
 * @param kept connections that are kept for the next call, for what is called with requests. Default: none is
 * @throws KeyError when the CA is no certificate or a fingerprint is none
 */
export function createRemoteAgent(trust: RemoteTrust, timeoutMs: number, kept = 0): Dispatcher {
  const { fingerprints = [], fingerprintsMatch = 'leaf', ca, proxy } = trust;
  const tls = {
    timeout: timeoutMs,
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
  if (proxy === undefined) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    // Empty texts: without them undici would read the environment by itself.
    httpProxy: proxy.http ?? '',
    httpsProxy: proxy.https ?? '',
    noProxy: proxy.no ?? '',
    // The proxy is not the server: pins and the extra authority are about the latter.
    requestTls: tls,
    proxyTls: { timeout: timeoutMs, rejectUnauthorized: true },
  });
}

/** The usual roots and this one, parsed once instead of per connection. */
function trustAlso(ca: string): ReturnType<typeof createSecureContext> {
  try {
    // createSecureContext ignores what it cannot parse, so it is parsed here first.
    void new X509Certificate(ca);
    return createSecureContext({ ca: [...getCACertificates('default'), ca] });
  } catch {
    throw new KeyError('the extra certificate authority is not a certificate in PEM');
  }
}
