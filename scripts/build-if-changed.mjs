// Runs `nest build` unless `dist` is what the present sources gave. A build takes about 5 s, the comparison
// 0.05 s. `dist/.build-stamp` holds a hash of the sources and one of what was built from them, so a changed
// source, a deleted or edited file in `dist` and a new compiler version all lead to a build. tsc's own
// `incremental` would not do: with a deleted `dist` it emits nothing.
//
// Messages go to stderr: stdout belongs to the command that follows.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';

const STAMP = 'dist/.build-stamp';
/** Whatever changes what the compiler writes; the lock file holds its version. */
const SETTINGS = [
  'nest-cli.json',
  'package.json',
  'package-lock.json',
  'scripts/bundle.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
];

const sources = () => [
  ...SETTINGS.filter((path) => existsSync(path)),
  ...globSync('src/**/*.{ts,json,html,css,js}', { exclude: ['src/**/*.spec.ts'] }),
];
const built = () => globSync('dist/**/*.{js,ts,json,map,html,css}');

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths.toSorted()) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

const before = hashOf(sources());
if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === `${before}\n${hashOf(built())}\n`)
  process.exit();

// What an npm script runs after the build, e.g. `node dist/cli/main.js keys`.
const [, command] = /&& exec (.+)$/.exec(process.env.npm_lifecycle_script ?? '') ?? [];
if (command !== undefined)
  console.error(`Building, which only changes make necessary. Without npm: ${command}`);
for (const script of [['node_modules/@nestjs/cli/bin/nest.js', 'build'], ['scripts/bundle.mjs']]) {
  // What the compiler says is a message here.
  const { status } = spawnSync(process.execPath, script, { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
// Of the sources as they were before the build: a file saved meanwhile is built the next time.
writeFileSync(STAMP, `${before}\n${hashOf(built())}\n`);
