import { BootError } from '../core/errors/index.js';
import type { JwkKeyStore } from './jwk-key-store.service.js';

/**
 * The keys of the application, for a module that does nothing without them.
 *
 * @param module its name
 * @throws BootError where `JwksModule` is not imported
 */
export function requiredKeys(keys: JwkKeyStore | undefined, module: string): JwkKeyStore {
  if (keys === undefined)
    throw new BootError(
      `${module} needs JwksModule: add JwksModule.forRoot(…) to the imports of your root module`,
    );
  return keys;
}
