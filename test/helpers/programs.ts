import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

// What some tests need beside Node. Tests that lack a program are left out, and the run says so; with
// `CI` set they are not, and fail.

export const REDIS_MISSING = 'redis-server is missing: apt-get install redis-server';
export const BROWSER_MISSING =
  'Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH';

/** Where a Chromium is installed; `undefined` when there is none. */
export const chromiumPath = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path));

/** Runs published test vectors; it is no part of this repository. */
export const VECTORS_RUNNER = resolve('../shared/vectors/run-vectors.mjs');

export const withoutRedis =
  spawnSync('redis-server', ['--version']).status !== 0 && !process.env.CI;
export const withoutBrowser = chromiumPath === undefined && !process.env.CI;
export const withoutVectors = !existsSync(VECTORS_RUNNER);

/** Which tests are left out and why, a line each. */
export const leftOut: readonly string[] = [
  ...(withoutRedis ? [`Tests with Redis are left out: ${REDIS_MISSING}`] : []),
  ...(withoutBrowser ? [`Tests in a browser are left out: ${BROWSER_MISSING}`] : []),
  ...(withoutVectors ? ['Published vectors are left out: ../shared/vectors is not there'] : []),
];
