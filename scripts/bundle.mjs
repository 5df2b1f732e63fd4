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

const escapeUnit = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const bundle = await rolldown({
  cwd: DIST,
  input: { gateway: `${DIST}/process/index.js`, command: `${DIST}/cli/run.js` },
  platform: 'node',
  external: EXTERNAL,
  plugins: [
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
});
await bundle.close();
