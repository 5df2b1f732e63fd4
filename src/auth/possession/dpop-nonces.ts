import { randomBytes } from 'node:crypto';
import { epochSeconds } from '../../core/time/index.js';
import type { NonceSource } from '../../core/verify/index.js';
import type { StateStore } from '../../state/index.js';

/** Time for which clients get the same nonce, in seconds. */
const PERIOD = 120;
/** Offsets of the periods whose nonces are accepted. The next one is included: another server's clock may be ahead. */
const ACCEPTED = [0, -1, 1] as const;
/** Number of periods during which one nonce is accepted. Older nonces are forgotten. */
const REMEMBERED = ACCEPTED.length;

/**
 * Nonces for DPoP proofs (RFC 9449 section 9). Each period has one random nonce for all clients, on which all servers
 * agree through the state store. Nothing is kept per client, and the store is asked once per period. The `jti` of a
 * proof, not the nonce, ensures that the proof is used only once.
 */
export class DpopNonces implements NonceSource {
  readonly lifetime = REMEMBERED * PERIOD;
  private readonly known = new Map<number, Promise<string>>();

  constructor(private readonly store: StateStore) {}

  /** @throws StateUnavailableException */
  current(): Promise<string> {
    return this.ofPeriod(period());
  }

  /** @throws StateUnavailableException */
  async accepts(nonce: string): Promise<boolean> {
    const now = period();
    for (const offset of ACCEPTED) if ((await this.ofPeriod(now + offset)) === nonce) return true;
    return false;
  }

  private ofPeriod(number: number): Promise<string> {
    const known = this.known.get(number);
    if (known !== undefined) return known;
    const asked = this.store.putIfAbsent(
      `dpop-nonce:${number}`,
      randomBytes(16).toString('base64url'),
      2 * this.lifetime * 1000,
    );
    this.known.set(number, asked);
    asked.catch(() => this.known.delete(number));
    for (const old of this.known.keys())
      if (Math.abs(old - number) > REMEMBERED) this.known.delete(old);
    return asked;
  }
}

const period = (): number => Math.floor(epochSeconds() / PERIOD);
