// Puts what `node dist/main.js` and the command load into few files under dist/bundle: a start loads about
// 2,900 modules otherwise, which is most of what it costs (bench/README.md, "What was tried"). The npm package
// has no bundle: there the packages are the application's, and so are their updates.
import { isBuiltin } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
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
];

/** @param importsOf the modules that a module cannot do without */
function partsOf(importsOf) {
  const parts = new Map();
  const loadedBy = new Map();
  for (const [number, name] of PARTS.entries()) {
    const seen = new Set([`${DIST}/${name}.js`]);
    // What is added while it goes on is visited, too.
    for (const id of seen) for (const next of importsOf(id)) seen.add(next);
    for (const id of seen) parts.set(id, `${parts.get(id) ?? 'part'}-${number}`);
    loadedBy.set(name, seen);
  }
  // No start does without the environment, so what the command and the gateway share is put to it.
  const shared = loadedBy.get('cli/run').intersection(loadedBy.get('process/serve'));
  for (const id of loadedBy.get('environment/index').union(shared)) parts.set(id, 'always');
  return parts;
}

/** The thread of a database: in one file, and as CommonJS, since it can do without the loader of ES modules: 2 to 4 MB. */
const THREAD = 'signet-state-worker';

let parts = new Map();
/** Modules of Node that most starts never call, and that load much: e.g. `node:readline` with the first. */
const CALLED_LATER = new Set(['node:fs/promises', 'node:timers/promises', 'node:child_process']);

/** The functions of one of Node's modules, which is loaded when one of them is called. Other exports are missing. */
function functionsOf(id) {
  const module = process.getBuiltinModule(id);
  const names = Object.keys(module).filter((name) => typeof module[name] === 'function');
  return [
    `const module = () => process.getBuiltinModule(${JSON.stringify(id)});`,
    ...names.map((name) => `const ${name} = (...args) => module().${name}(...args);`),
    `export { ${names.join(', ')} };`,
    `export default { ${names.join(', ')} };`,
  ].join('\n');
}

/** Modules that are loaded with the first call of what they export, which is rare or never. */
const AT_FIRST_CALL = [
  // The telephone numbers of all countries.
  { id: 'libphonenumber-js/max', by: '/class-validator/', name: '.parsePhoneNumber' },
  // HTTP/2, with all that Node loads for it.
  { id: './client-h2.js', by: '/undici/lib/dispatcher/client.js', name: '' },
];

/** Tables of media types, of which some packages have an older one. */
const ONE_OF_EACH = ['mime-db', 'mime-types'];

/** What is used of undici: its own index loads all of it. A name that is missing here ends the build. */
const UNDICI = `
  import Dispatcher from 'undici/lib/dispatcher/dispatcher';
  import api from 'undici/lib/api';
  Object.assign(Dispatcher.prototype, api);
  export { default as Agent } from 'undici/lib/dispatcher/agent';
  export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent';
  export { default as Pool } from 'undici/lib/dispatcher/pool';
  export { default as buildConnector } from 'undici/lib/core/connect';
  export { default as errors } from 'undici/lib/core/errors';
`;

/** What axios looks at while it is loaded, and for which Node loads an undici of its own: 16 ms and 3 MB. */
const GLOBALS_OF_AXIOS = [
  // The gateway sends by an adapter of its own. If somebody asks for the one of fetch, axios makes it then.
  ['/axios/lib/adapters/fetch.js', 'const adapter = getFetch();', 'const adapter = undefined;'],
  // Without it, a form is known by its tag.
  [
    '/axios/lib/utils.js',
    "typeof G.FormData !== 'undefined' ? G.FormData : undefined",
    'undefined',
  ],
];

/** An import of one of Node's modules as a call that gives the module as it is. */
function withoutImport({ source, specifiers }) {
  const module = `globalThis.process.getBuiltinModule(${JSON.stringify(source.value)})`;
  const named = [];
  const declared = [];
  for (const { type, imported, local } of specifiers)
    if (type === 'ImportSpecifier') named.push(`${imported.name}: ${local.name}`);
    else declared.push(`${local.name} = ${module}`);
  if (named.length > 0) declared.push(`{ ${named.join(', ')} } = ${module}`);
  return `const ${declared.join(', ')};`;
}

const escapeUnit = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** V8 keeps the text of what it has loaded: Node gives it two bytes per character unless all are ASCII. */
const asciiText = {
  name: 'ascii-text',
  generateBundle: (_options, files) => {
    for (const file of Object.values(files))
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escapeUnit);
  },
};

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
      name: 'builtins-at-first-call',
      resolveId: (id) => (CALLED_LATER.has(id) ? `\0later:${id}` : null),
      load: (id) => (id.startsWith('\0later:') ? functionsOf(id.slice('\0later:'.length)) : null),
    },
    {
      name: 'used-of-undici',
      resolveId: (id) => (id === 'undici' ? '\0undici.mjs' : null),
      load: (id) => (id === '\0undici.mjs' ? UNDICI : null),
    },
    {
      name: 'one-of-each',
      resolveId: (id) => (ONE_OF_EACH.includes(id) ? fileURLToPath(import.meta.resolve(id)) : null),
    },
    {
      name: 'packages-at-first-call',
      async resolveId(source, importer) {
        const later = AT_FIRST_CALL.find(({ id, by }) => id === source && importer?.includes(by));
        if (later === undefined) return null;
        const { id } = await this.resolve(source, importer, {
          kind: 'require-call',
          skipSelf: true,
        });
        return `\0first-call:${later.name}:${id}`;
      },
      load(id) {
        const [, name, file] = /^\0first-call:([^:]*):(.*)/.exec(id) ?? [];
        if (file === undefined) return null;
        return `module.exports${name} = (...args) => require(${JSON.stringify(file)})${name}(...args);`;
      },
    },
    {
      name: 'axios-without-fetch',
      transform(code, id) {
        const [, text, other] = GLOBALS_OF_AXIOS.find(([file]) => id.endsWith(file)) ?? [];
        if (text === undefined) return null;
        if (!code.includes(text)) this.warn(`axios has changed: ${text} is not there any more`);
        return code.replace(text, other);
      },
    },
    {
      name: 'bundled-thread',
      transform(code, id) {
        if (id !== `${DIST}/state/sqlite/start-worker.js`) return null;
        const file = `./${THREAD}.js`;
        if (!code.includes(`'${file}'`)) this.error(`${file} is not started any more`);
        return code.replace(`'${file}'`, `'../../bundle/${THREAD}.cjs'`);
      },
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
      // An `import` of one of Node's modules reads each of its exports, and loads what some of them are made of at
      // their first use: with `node:http` an undici of Node's own, with `node:crypto` WebCrypto, with `node:process`
      // standard input.
      name: 'plain-builtins',
      generateBundle(_options, files) {
        for (const file of Object.values(files)) {
          if (file.type !== 'chunk') continue;
          const imports = this.parse(file.code).body.filter(
            ({ type, source, specifiers }) =>
              type === 'ImportDeclaration' && specifiers.length > 0 && isBuiltin(source.value),
          );
          for (const one of imports.toReversed())
            file.code =
              file.code.slice(0, one.start) + withoutImport(one) + file.code.slice(one.end);
        }
      },
    },
    asciiText,
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

const thread = await rolldown({
  cwd: DIST,
  input: `${DIST}/state/sqlite/${THREAD}.js`,
  platform: 'node',
  external: EXTERNAL,
  plugins: [asciiText],
});
await thread.write({
  file: `${FOLDER}/${THREAD}.cjs`,
  format: 'cjs',
  keepNames: true,
  comments: false,
});
await thread.close();
