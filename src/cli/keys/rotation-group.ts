import { JWS_ALGORITHMS, keyMisfit, type JwsAlgorithm, type JwsKey } from '../../core/jws/index.js';
import { CommandError } from '../command.error.js';
import { given } from '../environment.js';
import { AUTO_KID, type ImportedKey } from './gateway-keys.js';
import type { KeyDocument } from './key-file-contents.js';

/** The algorithms a key can serve: one if its JWK names it, else all that fit its type. */
export const algorithmsOf = (key: JwsKey): JwsAlgorithm[] =>
  JWS_ALGORITHMS.filter((alg) => keyMisfit(key, alg) === undefined);

/** An algorithm that both keys can serve. */
export const sharedAlgorithm = (one: JwsKey, other: JwsKey): JwsAlgorithm | undefined =>
  algorithmsOf(one).find((alg) => keyMisfit(other, alg) === undefined);

/** The keys of a set that serve one algorithm: these take turns, whatever else is in the set. */
export const rotationGroupOf = ({ set }: KeyDocument, alg: JwsAlgorithm): ImportedKey[] =>
  set.entries().filter(({ key }) => keyMisfit(key, alg) === undefined);

/** True for a key that would sign now, if it were asked to. */
export const signsNow = ({ key, lifecycle }: ImportedKey): boolean =>
  key.signing !== undefined && (lifecycle === undefined || lifecycle.state === 'active');

/** A key by kid or by thumbprint. @throws CommandError when there is none */
export function findKey({ set, path }: KeyDocument, name: string): ImportedKey {
  const keys = set.entries();
  const found =
    keys.find(({ key }) => key.kid === name) ?? keys.find(({ thumbprint }) => thumbprint === name);
  if (found === undefined)
    throw new CommandError(`kid '${name}' not found in ${path} (present: ${set.describeKids()})`);
  return found;
}

/** The kid the gateway signs with by its environment; `undefined` for `auto` and when it is unset. */
export function configuredKid(): string | undefined {
  const kid = given('SIGNER_KID');
  return kid === AUTO_KID ? undefined : kid;
}

/**
 * The algorithm whose keys are meant: of the key that is named, as configured, or the only one that
 * the file signs with.
 *
 * @throws CommandError when it is not clear
 */
export function chooseAlgorithm(document: KeyDocument, kid: string | undefined): JwsAlgorithm {
  const configured = given('SIGNER_ALG');
  const named = kid ?? (configured === undefined ? configuredKid() : undefined);
  const keys = document.set.entries();
  const candidates =
    named === undefined
      ? keys.filter(
          ({ key, lifecycle }) => key.signing !== undefined && lifecycle?.state !== 'retired',
        )
      : [findKey(document, named)];
  const possible = JWS_ALGORITHMS.filter((alg) =>
    candidates.some(({ key }) => keyMisfit(key, alg) === undefined),
  );
  const [only, second] = possible;
  const preferred = possible.find((alg) => alg === configured);
  if (preferred !== undefined) return preferred;
  if (only === undefined) throw new CommandError(`${document.path}: no key can sign`);
  if (second !== undefined)
    throw new CommandError(
      `${document.path}: its keys serve ${possible.join(', ')}; choose one with --alg`,
    );
  return only;
}
