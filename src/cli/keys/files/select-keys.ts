import {
  isSameAlgorithm,
  JWS_ALGORITHMS,
  keyMisfit,
  type JwsAlgorithm,
  type JwsKey,
} from '../../../core/jws/index.js';
import { AUTO_KID, type ImportedKey } from '../../../core/keys/index.js';
import { CommandError } from '../../command.error.js';
import type { Settings } from '../../settings.js';
import type { KeyFileContents } from './key-files.js';

/**
 * Returns the algorithms that keys can serve: the `alg` of a JWK, or all that fit the type of a JWK without `alg`. Of
 * two names of one algorithm (`EdDSA`, `Ed25519`) it returns the one in a JWK, else the older one.
 */
export function algorithmsOf(...keys: readonly JwsKey[]): JwsAlgorithm[] {
  const served = JWS_ALGORITHMS.filter((alg) =>
    keys.some((key) => keyMisfit(key, alg) === undefined),
  );
  return served.filter((alg) => {
    const names = served.filter((other) => isSameAlgorithm(other, alg));
    const declared = names.find((name) => keys.some((key) => key.alg === name));
    return alg === (declared ?? names[0]);
  });
}

/** True when there is an algorithm that both keys can serve. */
export const shareAlgorithm = (one: JwsKey, other: JwsKey): boolean =>
  algorithmsOf(one).some((alg) => keyMisfit(other, alg) === undefined);

/** True for a key that can sign now: it has secret or private members, and its state, if any, is `active`. */
export const signsNow = ({ key, lifecycle }: ImportedKey): boolean =>
  key.signing !== undefined && (lifecycle === undefined || lifecycle.state === 'active');

/** Finds a key by kid or thumbprint. @throws CommandError when there is none */
export function findKey({ set, name }: KeyFileContents, kid: string): ImportedKey {
  const keys = set.entries();
  const found =
    keys.find(({ key }) => key.kid === kid) ?? keys.find(({ thumbprint }) => thumbprint === kid);
  if (found === undefined)
    throw new CommandError(`kid '${kid}' not found in ${name} (present: ${set.describeKids()})`);
  return found;
}

/** Returns the kid in SIGNER_KID; `undefined` for `auto`, and when the variable is not set. */
export function configuredKid(settings: Settings): string | undefined {
  const kid = settings.given('SIGNER_KID');
  return kid === AUTO_KID ? undefined : kid;
}
