/**
 * Imports from the bundle that `scripts/bundle.mjs` makes for a quick start, and keeps its compiled code
 * beside it where that folder can be written to. The npm package has no bundle, nor has
 * `nest start --watch`: there the modules themselves are imported.
 */
export async function importBundled<T>(name: string, modules: () => Promise<T>): Promise<T> {
  // Not imported: `import` loads what `node:fs` makes at its first use, which is streams and promises.
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { enableCompileCache } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const folder = new URL('../bundle/', import.meta.url);
  const file = new URL(`${name}.js`, folder);
  if (!existsSync(file)) return modules();
  // Not in the temporary folder: others can write there, and this is code.
  enableCompileCache(fileURLToPath(new URL('compiled', folder)));
  return (await import(file.href)) as T;
}
