import { isSameAlgorithm, type JwsAlgorithm, type JwsKey } from '../../../core/jws/index.js';
import { KeyError } from '../../../core/keys/index.js';
import type { Settings } from '../../settings.js';
import type { KeyFileContents } from '../files/key-files.js';
import { findKey } from '../files/select-keys.js';
import { inFile } from './options.js';

/**
 * Returns what the operator has to do next so that the gateway uses a key that was just added to a file.
 *
 * @param kid the kid of the key
 * @param alg the algorithm of the key
 */
export function stepAfter(
  contents: KeyFileContents,
  kid: string,
  alg: JwsAlgorithm,
  settings: Settings,
): string {
  const { set, name } = contents;
  const { key, lifecycle } = findKey(contents, kid);
  if (lifecycle?.state === 'retired') return 'none: its tokens are refused';
  if (key.signing === undefined || lifecycle?.state === 'verifying')
    return name === settings.text('VALIDATOR_JWK_LOCAL_PATH') ||
      name === settings.text('SIGNER_JWK_LOCAL_PATH')
      ? 'tokens of this key are accepted as soon as the gateway has read the file'
      : `set VALIDATOR_JWK_LOCAL_PATH=${name} where its tokens are checked`;
  if (lifecycle?.state === 'pending')
    return `signet keys rotate${inFile(name, settings)}${ofAlgorithm(alg, settings)}`;
  const variables = [
    isSameAlgorithm(settings.text('SIGNER_ALG') as JwsAlgorithm, alg) ? [] : `SIGNER_ALG=${alg}`,
    settings.text('SIGNER_JWK_LOCAL_PATH') === name ? [] : `SIGNER_JWK_LOCAL_PATH=${name}`,
    signerKid(set, alg, settings) === kid ? [] : `SIGNER_KID=${kid}`,
  ].flat();
  return variables.length === 0
    ? 'signet serve; a gateway that runs follows the file'
    : `set ${variables.join(' ')}, then: signet serve`;
}

/** Returns the kid of the key that would sign by these settings; `undefined` where that is not clear. */
function signerKid(
  set: KeyFileContents['set'],
  alg: JwsAlgorithm,
  settings: Settings,
): JwsKey['kid'] | undefined {
  try {
    return set.signer(alg, settings.text('SIGNER_KID')).kid;
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

const ofAlgorithm = (alg: JwsAlgorithm, settings: Settings): string =>
  isSameAlgorithm(settings.text('SIGNER_ALG') as JwsAlgorithm, alg) ? '' : ` --alg ${alg}`;
