import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join, resolve } from 'node:path';

// What some tests need beside Node. Tests that lack a program are left out, and the run says so; with
// `CI` set they are not, and fail, but for what {@link withoutValkey} says.

export const REDIS_MISSING = 'redis-server is missing: apt-get install redis-server';
export const VALKEY_MISSING =
  'valkey-server is missing: apt-get install valkey-server, from Debian 13 and Ubuntu 24.04 on';
export const POSTGRES_MISSING = 'PostgreSQL is missing: apt-get install postgresql';
export const HAPROXY_MISSING = 'haproxy is missing: apt-get install haproxy';
export const SHELLS_MISSING = 'zsh or fish is missing: apt-get install zsh fish';
export const BROWSER_MISSING =
  'Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH';

export const PROMTOOL_MISSING = 'promtool is missing: apt-get install prometheus';

/** Where a Chromium is installed; `undefined` when there is none. */
export const chromiumPath = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path));

/** Where the programs of PostgreSQL are; Debian puts only some of them into the PATH. `undefined` when there are none. */
export const POSTGRES_FOLDER = [
  ...globSync('/usr/lib/postgresql/*/bin').toSorted(),
  ...(process.env.PATH ?? '').split(':'),
].find((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')));

/** Runs published test vectors. It is no part of this repository: no line asks to install it. */
export const VECTORS_RUNNER = resolve('../shared/vectors/run-vectors.mjs');

export const withoutRedis =
  spawnSync('redis-server', ['--version']).status !== 0 && !process.env.CI;
/** Not every distribution has it: then these tests are left out with `CI`, too. */
export const withoutValkey = spawnSync('valkey-server', ['--version']).status !== 0;
export const withoutPostgres = POSTGRES_FOLDER === undefined && !process.env.CI;
export const withoutShells =
  ['zsh', 'fish'].some((shell) => spawnSync(shell, ['--version']).status !== 0) && !process.env.CI;
export const withoutBrowser = chromiumPath === undefined && !process.env.CI;
export const withoutPromtool = spawnSync('promtool', ['--version']).status !== 0 && !process.env.CI;
/** The load balancers of the tests, and which of them are missing. */
export const BALANCERS = (['haproxy', 'nginx'] as const).map(
  (name) => [name, !existsSync(`/usr/sbin/${name}`) && !process.env.CI] as const,
);
export const withoutHaproxy = BALANCERS.some(
  ([name, isMissing]) => name === 'haproxy' && isMissing,
);
export const withoutVectors = !existsSync(VECTORS_RUNNER);

/** Which tests are left out and why, a line each; those with Valkey say it themselves. */
export const leftOut: readonly string[] = [
  ...(withoutRedis ? [`Tests with Redis are left out: ${REDIS_MISSING}`] : []),
  ...(withoutPostgres ? [`Tests with PostgreSQL are left out: ${POSTGRES_MISSING}`] : []),
  ...(withoutShells ? [`Tests of zsh and fish are left out: ${SHELLS_MISSING}`] : []),
  ...(withoutBrowser ? [`Tests in a browser are left out: ${BROWSER_MISSING}`] : []),
  ...(withoutPromtool ? [`Tests of Prometheus rules are left out: ${PROMTOOL_MISSING}`] : []),
  ...BALANCERS.flatMap(([name, isMissing]) =>
    isMissing ? [`Tests with ${name} are left out: apt-get install ${name}`] : [],
  ),
];
