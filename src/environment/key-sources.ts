import { DEFAULT_KEY_FILE, type Environment } from './environment.js';

/** True where a variable names the keys that other issuers sign with. */
export const hasGivenKeys = (env: Environment): boolean =>
  env.VALIDATOR_JWK_URL !== undefined || env.VALIDATOR_JWK_LOCAL_PATH !== undefined;

/**
 * The issuers of `VALIDATOR_ISSUER` other than our own. Each has keys of its own: those of `VALIDATOR_JWK_*`, else
 * those that its metadata name.
 *
 * @returns the empty list where one key set serves all issuers: with `VALIDATOR_DISCOVERY=false` and no
 * `VALIDATOR_JWK_*`
 */
export const foreignIssuers = (env: Environment): string[] =>
  hasGivenKeys(env) || env.VALIDATOR_DISCOVERY
    ? [...new Set(env.VALIDATOR_ISSUER)].filter((issuer) => issuer !== env.SIGNER_ISSUER)
    : [];

/** True where a missing key file is created: the default file, except in production. */
export const mayCreateKeyFile = (env: Environment): boolean =>
  env.NODE_ENV !== 'production' &&
  env.SIGNER_JWK_URL === undefined &&
  env.SIGNER_JWK_LOCAL_PATH === DEFAULT_KEY_FILE;
