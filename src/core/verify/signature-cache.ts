import { hash } from 'node:crypto';
import type { JwsKey } from '../jws/index.js';

/** Default number of tokens in the cache, at about 150 bytes each. */
export const SIGNATURE_CACHE_SIZE = 10_000;

/**
 * Remembers which tokens had a valid signature, and nothing else of them: claims, expiry and
 * revocation are checked every time. An asymmetric verification costs thirty times as much as a look-up.
 *
 * An entry is valid only for the key object that verified the token. Reloading a key set makes new
 * objects, so entries do not outlive their key set.
 */
export class SignatureCache {
  private readonly verified = new Map<string, JwsKey>();

  /** @param limit largest number of tokens; beyond it the oldest entry is removed */
  constructor(private readonly limit: number) {}

  /** Returns the SHA-256 of the whole token. */
  idOf(token: string): string {
    return hash('sha256', token, 'base64');
  }

  has(id: string, key: JwsKey): boolean {
    return this.verified.get(id) === key;
  }

  /** Adds a token whose signature was just verified. */
  add(id: string, key: JwsKey): void {
    const { verified } = this;
    // Deleted first, so that it becomes the newest entry.
    verified.delete(id);
    if (verified.size >= this.limit) verified.delete(verified.keys().next().value as string);
    verified.set(id, key);
  }
}
