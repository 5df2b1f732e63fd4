import { mkdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, withoutBrowser } from '../helpers/pages/browser.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { callWith } from '../helpers/network/http.js';

describe.skipIf(withoutBrowser)('/docs in a browser', () => {
  let browser: Browser;
  let gateway: Gateway;
  beforeAll(async () => {
    [browser, gateway] = await Promise.all([startBrowser(), startGateway()]);
  });
  afterAll(() => Promise.all([browser?.close(), gateway?.stop()]));

  it('logs in, authorizes and calls the protected route', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    const problems: string[] = [];
    const hosts = new Set<string>();
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(`${gateway.url}/docs`);

    const token = page.locator('#operations-Token-createToken');
    await token.locator('.opblock-summary-control').click();
    await token.getByRole('button', { name: 'Try it out' }).click();
    await token.getByRole('button', { name: 'Execute' }).click();
    const body = token.locator('.live-responses-table .highlight-code').first();
    await expect.poll(() => body.innerText(), { timeout: 15_000 }).toContain('access_token');
    const access = /"access_token":\s*"([^"]+)"/.exec(await body.innerText())?.[1] ?? '';
    expect((await callWith(`${gateway.url}/private/custom`, access)).status).toBe(200);

    await page.getByRole('button', { name: 'Authorize' }).click();
    // It logs in by itself; the fields of a client stay empty.
    const dialog = page.locator('.dialog-ux');
    await dialog.locator('#oauth_username').fill('alice');
    await dialog.locator('#oauth_password').fill('wonderland');
    await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    await expect.poll(() => dialog.innerText()).toContain('Authorized');
    await dialog.getByRole('button', { name: 'Close' }).first().click();

    const custom = page.locator('#operations-Private-getCustom');
    await custom.locator('.opblock-summary-control').click();
    await custom.getByRole('button', { name: 'Try it out' }).click();
    await custom.getByRole('button', { name: 'Execute' }).click();
    const status = custom.locator('.live-responses-table .response-col_status').last();
    await expect.poll(() => status.innerText(), { timeout: 15_000 }).toMatch(/^200/);

    await custom.evaluate((element) => element.scrollIntoView());
    mkdirSync('test-artefacts', { recursive: true });
    await page.screenshot({ path: 'test-artefacts/docs.png' });
    // The policy of the page forbids nothing that it needs, and it talks to nobody else.
    expect(problems).toEqual([]);
    expect([...hosts]).toEqual([new URL(gateway.url).host]);
    await page.close();
  }, 60_000);
});
