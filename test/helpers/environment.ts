import { readFileSync } from 'node:fs';
import { withDefaults } from '../../src/environment/defaults.js';

/** Where the class of all variables is. */
export const ENVIRONMENT_FILE = 'src/environment/environment.ts';

/** The variables, in the order of their class. */
export const VARIABLES: readonly string[] = [
  ...readFileSync(ENVIRONMENT_FILE, 'utf8').matchAll(/\b([A-Z][A-Z0-9_]*)[!?]: /g),
].map(([, name = '']) => name);

/** Their defaults, as text; those that follow another variable are not among them. */
export const DEFAULTS: Readonly<Record<string, string>> = (() => {
  const defaults = withDefaults({});
  // What follows another variable is shown as unset.
  for (const name of ['VALIDATOR_ALG', 'SIGNER_ISSUER']) delete defaults[name];
  return defaults;
})();

/**
 * The manual says `SIGNER_KID=auto` is the default, the code still has `sim2`. To be deleted with all
 * its uses when the code has it, too.
 */
export const KID_AHEAD = { SIGNER_KID: 'auto' };
