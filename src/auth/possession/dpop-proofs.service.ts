import { randomBytes } from 'node:crypto';
import { setResponseHeader } from '../../http/index.js';
import type { ProofMemory } from '../../core/verify/index.js';
import type { StateStore } from '../../state/index.js';
import { DpopNonces } from './dpop-nonces.js';

/**
 * Remembers used DPoP proofs and current nonces (RFC 9449 sections 11.1 and 9). All servers with the same state store
 * share them.
 */
export class DpopProofs implements ProofMemory {
  readonly nonces: DpopNonces | undefined;

  /** @param withNonces true: every proof has to contain a nonce */
  constructor(
    private readonly store: StateStore,
    withNonces: boolean,
  ) {
    this.nonces = withNonces ? new DpopNonces(store) : undefined;
  }

  /** @throws StateUnavailableException */
  async useOnce(id: string, seconds: number): Promise<boolean> {
    const mine = randomBytes(12).toString('base64url');
    return (await this.store.putIfAbsent(`dpop:${id}`, mine, seconds * 1000)) === mine;
  }

  /**
   * Sends the current nonce to a client, if nonces are required (RFC 9449 section 8.2). The answer must not be cached,
   * so that no other client gets an old nonce.
   *
   * @throws StateUnavailableException
   */
  async offerNonce(response: object): Promise<void> {
    if (this.nonces === undefined) return;
    setResponseHeader(response, 'DPoP-Nonce', await this.nonces.current());
    setResponseHeader(response, 'Cache-Control', 'no-store');
  }
}
