// The pages for people who develop, in a real browser.
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startBrowser, withoutBrowser } from './helpers/pages/browser.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call } from './helpers/network/http.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { openPage, type OpenPage } from './helpers/pages/pages.js';

const FILES = [
  '/',
  '/_explain',
  ...['home.js', 'explain.js', 'page.js', 'tokens.js', 'style.css'].map(
    (name) => `/_pages/${name}`,
  ),
];

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ NODE_ENV: 'development' });
});
afterAll(() => gateway?.stop());

describe('in development', () => {
  it.each(FILES)('%s is small, and runs nothing that is written into it', async (path) => {
    const response = await fetch(gateway.url + path);
    const body = await response.text();
    expect(response.status).toBe(200);
    expect(body.length).toBeGreaterThan(500);
    expect(body.length).toBeLessThan(15_000);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).not.toContain('unsafe');
    expect(body).not.toMatch(/https?:\/\//);
  });

  it('a page is small with all that it loads', async () => {
    const sizes = await Promise.all(
      FILES.map(async (path) => (await (await fetch(gateway.url + path)).arrayBuffer()).byteLength),
    );
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(60_000);
  });

  it('leads to the API, the metadata, the public keys and the manual', async () => {
    const { json } = await call(`${gateway.url}/_pages/facts.json`);
    const links = (json.links as { href: string }[]).map(({ href }) => href);
    expect(links).toEqual(
      expect.arrayContaining([
        '/_explain',
        '/docs',
        '/.well-known/openid-configuration',
        '/.well-known/jwks.json',
      ]),
    );
    for (const path of links)
      expect([path, (await fetch(gateway.url + path)).status]).toEqual([path, 200]);
    const home = await (await fetch(`${gateway.url}/`)).text();
    const [, manual = ''] = /The manual begins at <code>(.+?)<\/code>/.exec(home) ?? [];
    expect(existsSync(manual)).toBe(true);
  });

  it('has the status and the metrics on the other listener alone', async () => {
    for (const path of ['/status.json', '/metrics']) {
      expect([path, (await call(gateway.url + path)).status]).toEqual([path, 404]);
      expect([path, (await fetch(gateway.management + path)).status]).toEqual([path, 200]);
    }
    const status = await (await fetch(`${gateway.management}/`)).text();
    expect(status).not.toBe(await (await fetch(`${gateway.url}/`)).text());
  });

  it('shows nothing secret', async () => {
    const secret = (await generateJwk('HS256', 'sim2')).k ?? '';
    const own = await startGateway({
      NODE_ENV: 'development',
      SIGNER_JWK_LOCAL_PATH: writeKeys([{ kty: 'oct', alg: 'HS256', kid: 'sim2', k: secret }]),
      KEY_PASSPHRASE: 'secret-passphrase-of-key-files',
    });
    const login = await call(`${own.url}/token`, { method: 'POST' });
    expect(login.status).toBe(200);
    const paths = [...FILES, '/_pages/facts.json'];
    const shown = await Promise.all(
      paths.map(async (path) => (await fetch(own.url + path)).text()),
    );
    await own.stop();
    for (const hidden of [secret, 'secret-passphrase', String(login.json.access_token)])
      expect(shown.filter((text) => text.includes(hidden))).toEqual([]);
  });

  it('says at the start where to look', () => {
    expect(gateway.output()).toContain(`Open ${gateway.url}/ to log in`);
  });

  it('has no other files, and keeps the pages out of the API', async () => {
    expect((await call(`${gateway.url}/_pages/..%2fpages.module.js`)).status).toBe(404);
    expect((await call(`${gateway.url}/_pages/constructor`)).status).toBe(404);
    const { json } = await call(`${gateway.url}/docs-json`);
    expect(Object.keys(json.paths as object)).not.toContain('/');
    expect(JSON.stringify(json.paths)).not.toContain('/_pages');
  });

  it.each([
    ['GET /private/custom', 200],
    ['GET /nowhere', 400],
    ['POST /token', 400],
    [7, 400],
  ])('explains a token for the route %s: %i', async (route, status) => {
    const answer = await call(`${gateway.url}/_explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: 'x.y.z', route }),
    });
    expect(answer.status).toBe(status);
  });
});

describe('in production', () => {
  let backend: Backend;
  let production: Gateway;
  beforeAll(async () => {
    backend = await startBackend();
    production = await startGateway({
      NODE_ENV: 'production',
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'k1')]),
    });
  });
  afterAll(async () => {
    await production?.stop();
    await backend?.stop();
  });

  it.each([...FILES, '/_pages/facts.json', '/status.json', '/metrics'])(
    '%s is not there',
    async (path) => {
      const { status, json } = await call(production.url + path);
      expect([status, json.code]).toEqual([404, 'not_found']);
    },
  );

  it.each(['/_explain', '/_pages/facts.json', '/_pages/home.html'])(
    '%s is not on the management listener either, unless it is asked for',
    async (path) => {
      expect((await fetch(production.management + path)).status).toBe(404);
    },
  );
});

describe.skipIf(withoutBrowser)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  const open = (path: string): Promise<OpenPage> => openPage(browser, gateway.url + path);

  it('shows who gets in and who does not, by keyboard alone', async () => {
    const { page, press, look } = await open('/');
    await page.getByRole('cell', { name: '/private/custom' }).waitFor();
    // Without a token.
    await page.getByRole('button', { name: 'Call' }).focus();
    await press('Enter');
    const answer = page.locator('#call-answer');
    await expect.poll(() => answer.innerText()).toMatch(/Status 401[^]*log in first/);

    await page.getByLabel('User').focus();
    await page.keyboard.type('bob');
    await press('Tab');
    await page.keyboard.type('builder');
    await press('Enter');
    const tokens = page.locator('#login-answer');
    await expect.poll(() => tokens.innerText()).toContain('"role_y"');
    expect(await tokens.innerText()).toMatch(
      /access_token[^]*"typ": "JWT"[^]*refresh_token[^]*"typ": "rt\+jwt"/,
    );
    await page.getByRole('button', { name: 'Call' }).focus();
    await press('Enter');
    await expect.poll(() => answer.innerText()).toMatch(/Status 403[^]*roles_missing/);
    await look('home-refused');

    await page.getByRole('button', { name: 'alice' }).focus();
    await press('Enter');
    await expect.poll(() => tokens.innerText()).toContain('"role_a"');
    await page.getByRole('button', { name: 'Call' }).focus();
    await press('Enter');
    await expect.poll(() => answer.innerText()).toMatch(/Status 200[^]*Alice Demo/);
    await look('home');
  });

  it('says what is wrong with a token, for the route that is chosen', async () => {
    const login = await call(`${gateway.url}/token`, { method: 'POST' });
    const token = String(login.json.access_token);
    const { page, press, look } = await open('/_explain');
    const answer = page.locator('#answer');
    await page.getByLabel('Route').selectOption('GET /private/custom');
    await page.getByRole('textbox', { name: 'Token' }).fill(`Bearer ${token}\n`);
    await page.getByRole('textbox', { name: 'Token' }).focus();
    await press('Tab', 'Tab', 'Enter');
    await expect.poll(() => answer.innerText()).toContain('This token is accepted');
    expect(await page.locator('#decoded').innerText()).toContain('"sub": "1234567890qwertyuio"');

    const [header, claims] = token.split('.');
    await page
      .getByRole('textbox', { name: 'Token' })
      .fill(`${header}.${claims}.${'A'.repeat(43)}`);
    await page.getByRole('button', { name: 'Check' }).focus();
    await press('Enter');
    await expect.poll(() => answer.innerText()).toContain('signature_invalid');
    expect(page.url()).toBe(`${gateway.url}/_explain`);
    await look('explain');
  });

  it('takes nothing of an answer or a token for HTML', async () => {
    const { page, problems } = await open('/_explain');
    const part = Buffer.from('{"alg":"<img src=x onerror=alert(1)>"}').toString('base64url');
    await page.getByRole('textbox', { name: 'Token' }).fill(`${part}.${part}.AA`);
    await page.getByRole('button', { name: 'Check' }).click();
    await expect.poll(() => page.locator('#decoded').innerText()).toContain('<img src=x');
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
