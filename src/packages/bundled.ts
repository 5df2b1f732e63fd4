import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Imports from the bundle that `scripts/bundle.mjs` makes for a quick start, and keeps its compiled code
 * beside it where that folder can be written to. The npm package has no bundle, nor has
 * `nest start --watch`: there the modules themselves are imported.
 */
export function importBundled<T>(name: string, modules: () => Promise<T>): Promise<T> {
  const file = new URL(`../bundle/${name}.js`, import.meta.url);
  if (!existsSync(file)) return modules();
  // Not in the temporary folder: others can write there, and this is code.
  enableCompileCache(fileURLToPath(new URL('compiled', file)));
  return import(file.href) as Promise<T>;
}
