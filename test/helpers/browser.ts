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

/** Starts a real browser. */
export function startBrowser(): Promise<Browser> {
  if (chromiumPath === undefined)
    throw new Error('these tests need Chromium: apt-get install chromium, or set CHROMIUM_PATH');
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}
