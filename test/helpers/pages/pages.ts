import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Runs in the page. */
const VIOLATIONS =
  'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))';

/** A page of the gateway in a browser. */
export interface OpenPage {
  page: Page;
  /** Errors of scripts and of the policy, and origins that are not the page's own. */
  problems: string[];
  /** Presses one key after another. */
  press: (...keys: string[]) => Promise<void>;
  /** Looks at the page as it is now, at both widths and in both schemes: no violation of axe, nothing cut off. */
  look: (name: string) => Promise<void>;
}

/** Opens a page, and watches what it does. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    // The browser itself calls an answer of 4xx an error, and one of a cluster that is too busy.
    if (message.type() === 'error' && !/status of (?:40\d|503)/.test(message.text()))
      problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (![new URL(url).origin, 'null'].includes(origin)) problems.push(origin);
  });
  await page.goto(url);
  return {
    page,
    problems,
    press: async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    },
    look: async (name) => {
      mkdirSync('test-artefacts', { recursive: true });
      for (const width of [375, 1280])
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize({ width, height: 900 });
          await page.emulateMedia({ colorScheme });
          await page.screenshot({
            path: `test-artefacts/${name}-${width}-${colorScheme}.png`,
            fullPage: true,
          });
          // The debugger's way in is not under the page's policy.
          await page.evaluate(AXE);
          expect(await page.evaluate(VIOLATIONS)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(
            true,
          );
        }
      expect(problems).toEqual([]);
    },
  };
}
