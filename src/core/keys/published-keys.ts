import { createHash } from 'node:crypto';
import type { KeySet } from './key-set.js';

/** SHA-256 of secrets from specifications and tutorials. The secrets themselves are not in this file. */
const PUBLISHED = new Set([
  // RFC 7515 appendix A.1; also "sim2" of the KrakenD playground.
  'yOzJNhoF4oXwTCb5VyExpt6rB-niuGUFPG91pNi9KzI',
  // RFC 7520 section 3.5.
  'c-x0RYBZxwyuPwrehmP-DaHcSxFO2M2sdTZBQLRFikw',
]);

/** Receives warnings: a logger, or a list. */
export interface Warner {
  warn(message: string): unknown;
}

/** Warns of published secrets, with which anybody can sign any token. */
export function warnOfPublishedKeys(set: KeySet, logger: Warner): void {
  for (const { kid, signing, verifying } of set.all()) {
    const key = signing ?? verifying;
    if (key?.type !== 'secret') continue;
    const digest = createHash('sha256').update(key.export()).digest('base64url');
    if (PUBLISHED.has(digest))
      logger.warn(
        `JWK ${set.source}: kid '${kid}' is an example key that is published; anybody can sign tokens with it`,
      );
  }
}
