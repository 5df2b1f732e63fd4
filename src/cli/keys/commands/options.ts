import { InvalidArgumentError, Option } from 'commander';
import { JWS_ALGORITHMS } from '../../../core/jws/index.js';
import { KEY_STATES } from '../../../core/keys/index.js';
import type { Settings } from '../../settings.js';
import { choiceOf } from '../../signet-command.js';

/** `--file`: the key file of a command. Default: that of the gateway. */
export const fileOption = (settings: Settings): Option =>
  new Option('--file <path>', 'key file (JWK Set or single JWK)').default(
    settings.text('SIGNER_JWK_LOCAL_PATH'),
  );

/** `--file` for a command that a message suggests; empty for the default file. */
export const inFile = (name: string, settings: Settings): string =>
  settings.text('SIGNER_JWK_LOCAL_PATH') === name ? '' : ` --file ${name}`;

/** `--alg`: a JWS algorithm. */
export const algOption = (description: string): Option =>
  choiceOf(new Option('--alg <alg>', description), JWS_ALGORITHMS);

/** `--kid` of a new key. */
export const kidOption = (): Option =>
  new Option('--kid <kid>', 'key id (default: the RFC 7638 thumbprint)').argParser(parseKid);

/** `--state` of a new key. */
export const stateOption = (): Option =>
  choiceOf(
    new Option(
      '--state <state>',
      'rotation state (default: none in a plain set; else pending, or verifying for a public key)',
    ),
    KEY_STATES,
  );

/** `--add`: adds the key to an existing file instead of a new one. */
export const addOption = (): Option => new Option('--add', 'add to an existing file');

/** An option that holds a whole number of at least `min`. */
export const numberOption = (flags: string, description: string, min: number): Option =>
  new Option(flags, description).argParser((text) => {
    if (!/^\d{1,12}$/.test(text) || Number(text) < min)
      throw new InvalidArgumentError(`It must be a whole number from ${min}.`);
    return Number(text);
  });

function parseKid(text: string): string {
  // SIGNER_KID accepts the same: a key with another kid could never be selected.
  if (!/^\S{1,256}$/.test(text) || /\p{Cc}/u.test(text))
    throw new InvalidArgumentError('It must be 1 to 256 characters without spaces.');
  return text;
}
