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
 * Connections for one key URL. They are minutes apart, so each is made anew and proves itself anew:
 * no keep-alive, no resumed TLS sessions (those skip the check of the certificate).
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
    // The deadline of the whole call is the caller's; undici's own timers are coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxCachedSessions: 0,
    connect: {
      timeout: timeoutMs,
      // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED cannot say otherwise.
      rejectUnauthorized: true,
      checkServerIdentity: identityCheck(fingerprints),
      ...(ca === undefined ? {} : { secureContext: trustAlso(ca) }),
    },
  });
}

/** The usual roots and this one, parsed once instead of per connection. */
function trustAlso(ca: string): ReturnType<typeof createSecureContext> {
  try {
    // A context ignores what it cannot read, and then trusts less than was asked for.
    void new X509Certificate(ca);
    return createSecureContext({ ca: [...getCACertificates('default'), ca] });
  } catch {
    throw new KeyError('the extra certificate authority is not a certificate in PEM');
  }
}
