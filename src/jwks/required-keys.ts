import { BootError } from '../core/errors/index.js';
import type { JwkKeyStore } from './jwk-key-store.service.js';

/**
 * Returns the keys of the application, for a module that cannot work without them.
 *
 * @param module name of the module
 * @throws BootError if `JwksModule` is not imported
 */
export function requiredKeys(keys: JwkKeyStore | undefined, module: string): JwkKeyStore {
  if (keys === undefined)
    throw new BootError(
      `${module} needs JwksModule: add JwksModule.forRoot(…) to the imports of your root module`,
    );
  return keys;
}
