import { GatewayException } from '../http/index.js';

const REFUSALS = {
  client_unknown: {
    status: 401,
    error: 'invalid_client',
    description: 'Client authentication failed.',
    // RFC 6749 section 5.2, RFC 9110 section 15.5.2.
    headers: { 'WWW-Authenticate': 'Basic realm="signet"' },
  },
  client_ambiguous: {
    status: 400,
    error: 'invalid_request',
    description: 'The request authenticates its client in more than one way.',
  },
  client_mismatch: {
    status: 400,
    error: 'invalid_grant',
    description: 'The token was issued to another client.',
  },
  grant_not_allowed: {
    status: 400,
    error: 'unauthorized_client',
    description: 'The client is not registered for this grant type.',
  },
  scope_not_granted: {
    status: 400,
    error: 'invalid_scope',
    description: 'The client is not registered for this scope.',
  },
  target_unknown: {
    status: 400,
    error: 'invalid_target',
    description: 'The client is not registered for this target.',
  },
} as const;

/** Codes of {@link ClientRefusedException}. */
export type ClientRefusal = keyof typeof REFUSALS;

/** A client that cannot be authenticated, or asks for more than it is registered for (RFC 6749 section 5.2). */
export class ClientRefusedException extends GatewayException {
  /** @param explanation for the log; never a secret */
  constructor(code: ClientRefusal, explanation: string) {
    super({ ...REFUSALS[code], code, explanation });
  }
}
