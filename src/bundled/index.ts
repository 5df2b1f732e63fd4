import { existsSync } from 'node:fs';
// By its default: an older Node has no such export, and would say that rather than which Node is needed.
import nodeModule from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Imports from the bundle that `scripts/bundle.mjs` makes for a quick start, and keeps its compiled code
 * beside it where that folder can be written to. The npm package has no bundle, nor has
 * `nest start --watch`: there the modules themselves are imported.
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
