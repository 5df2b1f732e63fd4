import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where a Chromium is installed; `undefined` when there is none. */
export const chromiumPath = PLACES.find((path) => path !== undefined && existsSync(path));

const MISSING = 'Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH';

/** Starts a real browser. */
export function startBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(MISSING);
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}

/**
 * No browser is installed: tests that need one are left out, and it is said how to get one. With
 * `CI` set they are not, and fail.
 */
export const withoutBrowser = chromiumPath === undefined && !process.env.CI;
if (withoutBrowser) console.warn(`Tests in a browser are left out. ${MISSING}`);
