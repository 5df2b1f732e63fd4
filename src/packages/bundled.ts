import { existsSync } from 'node:fs';
// By its default: an older Node has no such export, and would say that rather than which Node is needed.
import nodeModule from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Imports a module from the bundle of `scripts/bundle.mjs`, which starts faster, and caches its compiled code beside it if
 * the folder is writable. Without a bundle (the npm package, `nest start --watch`) the modules are imported.
 */
export function importBundled<T>(name: string, modules: () => Promise<T>): Promise<T> {
  // Bundlers of applications take `new URL('…', import.meta.url)` for a file that they have to find.
  const here = fileURLToPath(import.meta.url);
  const folder = resolve(here, '../../bundle');
  const file = join(folder, `${name}.js`);
  if (!existsSync(file)) return modules();
  // Not in the temporary folder: others can write there, and this is code.
  nodeModule.enableCompileCache(join(folder, 'compiled'));
  return import(pathToFileURL(file).href) as Promise<T>;
}
