import { randomBytes } from 'node:crypto';
import { setResponseHeader } from '../../http/index.js';
import type { ProofMemory } from '../../core/verify/index.js';
import type { StateStore } from '../../state/index.js';
import { DpopNonces } from './dpop-nonces.js';

/**
 * Which DPoP proofs were used, and which nonces were handed out (RFC 9449 sections 11.1 and 9): the same for
 * all that share the state store.
 */
export class DpopProofs implements ProofMemory {
  readonly nonces: DpopNonces | undefined;

  /** @param withNonces every proof has to hold a nonce */
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
   * Tells a client the nonce of now, where nonces are asked for (RFC 9449 section 8.2). No cache may give it
   * to the next client.
   *
   * @throws StateUnavailableException
   */
  async offerNonce(response: object): Promise<void> {
    if (this.nonces === undefined) return;
    setResponseHeader(response, 'DPoP-Nonce', await this.nonces.current());
    setResponseHeader(response, 'Cache-Control', 'no-store');
  }
}
