import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent } from 'undici';
import { KeyError } from '../core/keys/index.js';
import { identityCheck } from './spki-pin.js';

/** Whom a connection for keys may talk to. */
export interface RemoteTrust {
  /** See `KeyUrlOptions.fingerprints`. */
  fingerprints?: readonly string[];
  /** See `KeyUrlOptions.ca`. */
  ca?: string;
}

/**
 * Connections for one key URL. Fetches are minutes apart, so each has a connection of its own: no
 * keep-alive and no resumed TLS sessions, which would skip the check of the certificate.
 *
 * @param timeoutMs milliseconds for a connection, TLS included
 * @throws KeyError when the CA is no certificate or a fingerprint is none
 */
export function createRemoteAgent(trust: RemoteTrust, timeoutMs: number): Agent {
  const { fingerprints = [], ca } = trust;
  return new Agent({
    allowH2: false,
    connections: 1,
    // 0: one request per connection.
    pipelining: 0,
    // The caller has a deadline for the whole call; undici's timers are coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxCachedSessions: 0,
    connect: {
      timeout: timeoutMs,
      // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect.
      rejectUnauthorized: true,
      checkServerIdentity: identityCheck(fingerprints),
      ...(ca === undefined ? {} : { secureContext: trustAlso(ca) }),
    },
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
