import type { LoggerService } from '@nestjs/common';
import { algorithmSpec, keyMisfit, type JwsAlgorithm } from '../core/jws/index.js';
import { KeyError, type KeySet, warnOfPublishedKeys } from '../core/keys/index.js';
import type { KeySetCheck } from './live-key-set.js';
import type { JwksModuleOptions } from './jwks.module-definition.js';

/** Creates the check for files with secrets that other users can read or change. */
export const exposureCheck =
  (
    policy: NonNullable<JwksModuleOptions['exposedKeyFiles']>,
    logger: Pick<LoggerService, 'warn'>,
  ): KeySetCheck =>
  (candidate, { exposure }) => {
    const holdsSecrets = candidate.all().some(({ signing }) => signing !== undefined);
    if (exposure === undefined || !holdsSecrets || policy === 'allow') return;
    if (policy === 'refuse') throw new KeyError(`file ${exposure}`);
    logger.warn(`JWK file ${exposure}`);
  };

/** Creates a check that warns of skipped keys and of published keys. It warns once about the same text of a set. */
export function reportOn(logger: Pick<LoggerService, 'warn'>): KeySetCheck {
  let reported = '';
  return (candidate, { text }) => {
    if (text === reported) return;
    reported = text;
    for (const { reason } of candidate.skipped) logger.warn(`JWK ${candidate.source}: ${reason}`);
    warnOfPublishedKeys(candidate, logger);
  };
}

/** @throws KeyError when no key of the set can verify `alg`, with the reasons */
export function assertVerifies(set: KeySet, alg: JwsAlgorithm): void {
  const reasons = set
    .all()
    .map((key) =>
      key.verifying === undefined ? `kid '${key.kid}' cannot verify` : keyMisfit(key, alg),
    );
  if (!reasons.includes(undefined))
    throw new KeyError(
      `no key in JWK ${set.source} can verify ${alg} (${algorithmSpec(alg).kty}): ${[...reasons, ...set.skipped.map(({ reason }) => reason)].slice(0, 5).join('; ')}`,
    );
}
