/**
 * The rooms of `src/` and the floors they stand on, from the bottom. An import goes down only, and
 * into another room only by its door, `index.ts`. docs/architecture.md explains the rooms.
 */
export const FLOORS = [
  ['bundled', 'packages'],
  ['core/errors', 'core/time', 'core/text', 'core/headers', 'core/resilience'],
  ['core/json'],
  ['core/claims', 'core/files'],
  ['core/revocation', 'core/jws'],
  ['core/keys'],
  ['core/sign', 'core/verify', 'core/clients'],
  ['core/explain'],
  ['core'],
  ['options', 'assets'],
  ['environment', 'logging', 'management'],
  ['http', 'routes'],
  ['backend', 'jwks', 'state'],
  ['signing', 'auth'],
  ['throttle'],
  ['session', 'clients'],
  ['token', 'private', 'well-known', 'explain', 'health', 'demo'],
  ['admin', 'testing', 'pages'],
  ['metrics', 'tracing', 'access-log', 'openapi'],
  ['config', 'server'],
  ['app.module'],
  ['process'],
  ['main'],
  ['cli', 'index'],
];

/** What rooms without Nest must not load, nor anything that comes from the network. */
const NOT_IN_CORE =
  /^(?:@nestjs\/|@opentelemetry\/|undici$|axios$|redis$|pg$|rxjs|class-validator|class-transformer|reflect-metadata|express|node:(?:http|https|http2|net|tls|dns|dgram)$)/;
/** The same for rooms that the command, the configuration and the primary of a cluster load. */
const NOT_WITHOUT_NEST = /^(?:@nestjs\/|undici$|axios$|redis$|pg$|rxjs)/;
const WITHOUT_NEST = new Set(['options', 'assets', 'environment', 'logging', 'management']);

const floorOf = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));

/** The room of a file below `src/`, e.g. `core/jws`; a file at the top is a room of its own. */
export function roomOf(path) {
  const [first, second, third] = path.replace(/(?:\.spec)?\.ts$/, '').split('/');
  if (first === 'core') return third === undefined ? 'core' : `core/${second}`;
  return first;
}

/**
 * Why `file` must not import `specifier`; `undefined` when it may.
 *
 * @param file path below `src/`
 * @param specifier as it stands in the import
 * @param typeOnly nothing is loaded for it
 */
export function importProblem(file, specifier, typeOnly = false) {
  const room = roomOf(file);
  // A test may use what it likes, and look at its room from above; doors hold for it, too.
  const isTest = file.endsWith('.spec.ts');
  if (!specifier.startsWith('.')) {
    if (isTest || (typeOnly && specifier.startsWith('node:'))) return undefined;
    if (room.startsWith('core/') && NOT_IN_CORE.test(specifier))
      return `core knows no framework and no network, so not ${specifier}`;
    if (!typeOnly && WITHOUT_NEST.has(room) && NOT_WITHOUT_NEST.test(specifier))
      return `${room}/ is loaded where there is no Nest, so not ${specifier}`;
    return undefined;
  }
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  const other = roomOf(target.replace(/\.js$/, '.ts'));
  if (other === room || (isTest && other === 'test')) return undefined;
  for (const name of [room, other])
    if (!floorOf.has(name)) return `the room ${name} has no floor yet: see lint/rooms.mjs`;
  if (!isTest && floorOf.get(other) >= floorOf.get(room))
    return `${other} is not below ${room}: imports go down only`;
  if (target.includes('/') && target !== `${other}/index.js`)
    return `${other} has a door: import ${other}/index.js`;
  return undefined;
}

const inSource = /(?:^|\/)src\/(.*)$/;

const doors = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = inSource.exec(context.filename.replaceAll('\\', '/'))?.[1];
    if (file === undefined) return {};
    const check = (source, typeOnly) => {
      if (typeof source?.value !== 'string') return;
      const problem = importProblem(file, source.value, typeOnly);
      if (problem !== undefined) context.report({ node: source, message: problem });
    };
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source, true),
    };
  },
};

export default { meta: { name: 'rooms' }, rules: { doors } };
