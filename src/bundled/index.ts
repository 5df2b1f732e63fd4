/**
 * Imports from the bundle that `scripts/bundle.mjs` makes for a quick start, and keeps the compiled code next to the
 * bundle if that folder is writable. The npm package and `nest start --watch` have no bundle, so the modules themselves
 * are imported there.
 */
export async function importBundled<T>(name: string, modules: () => Promise<T>): Promise<T> {
  // `import` of `node:fs` would also load the parts that `node:fs` creates at their first use: streams and promises.
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { enableCompileCache } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const folder = new URL('../bundle/', import.meta.url);
  const file = new URL(`${name}.js`, folder);
  if (!existsSync(file)) return modules();
  // The temporary folder is not used: other users can write to it, and the cache is code.
  enableCompileCache(fileURLToPath(new URL('compiled', folder)));
  return (await import(file.href)) as T;
}
