import { chromium, type Browser } from 'playwright-core';
import { BROWSER_MISSING, chromiumPath } from '../run/programs.js';

export { withoutBrowser } from '../run/programs.js';

/** Starts a real browser. */
export function startBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(BROWSER_MISSING);
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}
