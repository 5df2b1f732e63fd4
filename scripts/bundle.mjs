// Puts what `node dist/main.js` and the command load into few files under dist/bundle: a start loads about
// 2,900 modules otherwise, which is most of what it costs (bench/README.md, "What was tried"). The npm package
// has no bundle: there the packages are the application's, and so are their updates.
import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import { rolldown } from 'rolldown';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const FOLDER = `${DIST}/bundle`;

/** Loaded where a setting asks for them, or finding files of theirs beside themselves. */
const EXTERNAL = /^(redis|pg|swagger-ui-dist|reflect-metadata|@opentelemetry\/(?!api$).*)(\/|$)/;
/** Nest loads them when they are installed; the gateway has none of these. */
const ABSENT = /^(@nestjs\/(microservices|websockets)|@fastify\/static)(\/|$)/;

/**
 * What is loaded as a whole, by its first module. What two of them share is one file for all of it: by itself
 * rolldown makes a file for what each single `import()` shares with others, 57 of them for a start, and a file
 * costs more than its text.
 */
const PARTS = [
  'app.module',
  'cli/explain/explain-here',
  'cli/run',
  'environment/index',
  'process/cluster/primary',
  'process/describe-boot-error',
  'process/index',
  'process/serve',
].map((name) => `${DIST}/${name}.js`);

/** @param importsOf the modules that a module cannot do without */
function partsOf(importsOf) {
  const parts = new Map();
  for (const [number, first] of PARTS.entries()) {
    const seen = new Set([first]);
    // What is added while it goes on is visited, too.
    for (const id of seen) for (const next of importsOf(id)) seen.add(next);
    for (const id of seen) parts.set(id, `${parts.get(id) ?? 'part'}-${number}`);
  }
  return parts;
}

let parts = new Map();
const escapeUnit = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const bundle = await rolldown({
  cwd: DIST,
  input: { gateway: `${DIST}/process/index.js`, command: `${DIST}/cli/run.js` },
  platform: 'node',
  // class-transformer is also of the modules that load it where it is there.
  checks: { ineffectiveDynamicImport: false },
  external: EXTERNAL,
  // The parts may have exports for each other.
  preserveEntrySignatures: 'allow-extension',
  plugins: [
    {
      name: 'parts',
      buildEnd() {
        parts = partsOf((id) => this.getModuleInfo(id)?.importedIds ?? []);
      },
    },
    {
      name: 'absent-packages',
      resolveId: (id) =>
        ABSENT.test(id) ? { id: `\0absent:${id}`, moduleSideEffects: true } : null,
      load: (id) => (id.startsWith('\0absent:') ? `throw new Error('not in the gateway')` : null),
    },
    {
      // A module looks for its files where it was, not where the bundle is.
      name: 'own-urls',
      transform: (code, id) =>
        id.startsWith(`${DIST}/`) && code.includes('import.meta.url')
          ? code.replaceAll(
              'import.meta.url',
              `new URL(${JSON.stringify(relative(FOLDER, id))}, import.meta.url).href`,
            )
          : null,
    },
    {
      // V8 keeps the text of what it has loaded: two bytes per character where one needs them.
      name: 'one-byte-text',
      generateBundle: (_options, files) => {
        for (const file of Object.values(files))
          if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\xff]/g, escapeUnit);
      },
    },
  ],
});
await bundle.write({
  dir: FOLDER,
  format: 'esm',
  keepNames: true,
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  codeSplitting: {
    groups: [{ debugName: 'parts', name: (id) => parts.get(id) ?? null }],
    // A module stands in the file of all that share it, so what it imports is in the same one or an earlier one.
    includeDependenciesRecursively: false,
  },
});
await bundle.close();
