import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, withoutBrowser } from '../helpers/pages/browser.js';
import type { Gateway } from '../helpers/gateway/gateway.js';
import { blocksOf, environmentOf, startByDefaults } from '../helpers/pages/manual.js';
import { custom, pairOf, postForm, type Pair } from '../helpers/sessions/sessions.js';

const [START, PAGE] = blocksOf('recipes', 'Where am I logged in', 'bash', 'html');

describe.skipIf(withoutBrowser)('the page of sessions', () => {
  let gateway: Gateway;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    gateway = await startByDefaults(environmentOf(START));
    browser = await startBrowser();
    page = await browser.newPage();
    // It stands for an application behind the same origin.
    await page.route('**/account', (route) =>
      route.fulfill({ contentType: 'text/html', body: PAGE }),
    );
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  const loginFrom = async (agent: string): Promise<Pair> =>
    pairOf(
      await postForm(
        `${gateway.url}/token`,
        { username: 'alice', password: 'wonderland' },
        { origin: gateway.url, 'user-agent': agent },
      ),
    );
  const items = (): Promise<string[]> => page.locator('#sessions li').allTextContents();

  it('shows the own sessions, ends one, and all others', async () => {
    const evil = await loginFrom('<img src=x onerror="document.title=1">');
    const phone = await loginFrom('A phone');
    const tablet = await loginFrom('A tablet');
    await page.goto(`${gateway.url}/account`);
    await page.evaluate(`fetch('/token', { method: 'POST', body: new URLSearchParams({
      username: 'alice', password: 'wonderland' }) })`);
    await page.reload();
    await expect.poll(async () => (await items()).length).toBe(4);
    const [first = '', second = '', , own = ''] = await items();
    expect(first).toMatch(/^<img src=x onerror="document.title=1">, 127\.0\.0\.0\/24, last used /);
    expect(second).toMatch(/^A phone, /);
    expect(own).toMatch(/Chrom.*\(this one\)$/);
    expect(await page.title()).toBe('Where am I logged in');

    await page.locator('#sessions li', { hasText: 'A phone' }).getByText('End').click();
    await expect.poll(async () => (await items()).length).toBe(3);
    expect(await custom(gateway.url, phone.access)).toBe('401 token_revoked');
    expect(await custom(gateway.url, tablet.access)).toBe('200');

    await page.getByText('Log out everywhere else').click();
    await expect.poll(items).toEqual([expect.stringMatching(/\(this one\)$/)]);
    for (const { access } of [evil, tablet])
      expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });
});
