import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, withoutBrowser } from '../helpers/pages/browser.js';
import { freePort } from '../helpers/run/free-port.js';
import type { Gateway } from '../helpers/gateway/gateway.js';
import { hostGateway } from '../helpers/gateway/host.js';
import { tempFolder } from '../helpers/run/resources.js';

/** What a page does, in the words of a page; each returns status, body and the headers that it can read. */
const SCRIPT = `
const GATEWAY: string = import.meta.env.VITE_GATEWAY;
async function ask(path: string, init: RequestInit = {}) {
  try {
    const answer = await fetch(GATEWAY + path, init);
    const text = await answer.text();
    return {
      status: answer.status,
      json: text.startsWith('{') ? JSON.parse(text) : {},
      headers: Object.fromEntries(answer.headers),
    };
  } catch (error) {
    return { status: String(error), json: {}, headers: {} };
  }
}
const form = (fields: Record<string, string>, init: RequestInit = {}) =>
  ({ method: 'POST', body: new URLSearchParams(fields), ...init });
Object.assign(window, { ask, form });
`;
const CREDENTIALS = { username: 'alice', password: 'wonderland' };

interface Seen {
  status: number | string;
  json: Record<string, string>;
  headers: Record<string, string>;
}

describe.skipIf(withoutBrowser)('a Vite page of another origin, in a real browser', () => {
  let vite: ViteDevServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let port: number;
  let gatewayPort: number;
  let gateway: Gateway;

  const boot = async (env: Record<string, string>): Promise<void> => {
    gateway = await hostGateway({
      PORT: String(gatewayPort),
      CORS_ORIGINS: `http://localhost:${port}`,
      REFRESH_BACKEND_PATH: '/refresh.json',
      SIGNER_ISSUER: '',
      ...env,
    });
  };

  beforeAll(async () => {
    [port, gatewayPort] = [await freePort(), await freePort()];
    const root = tempFolder('page');
    writeFileSync(join(root, 'index.html'), '<script type="module" src="/main.ts"></script>');
    writeFileSync(join(root, 'main.ts'), SCRIPT);
    writeFileSync(join(root, '.env'), `VITE_GATEWAY=http://localhost:${gatewayPort}`);
    vite = await createServer({
      root,
      configFile: false,
      logLevel: 'error',
      cacheDir: join(root, 'cache'),
      server: { port, host: '127.0.0.1', strictPort: true, hmr: false, ws: false },
    });
    await vite.listen();
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await vite?.close();
    await gateway?.stop();
  });

  /** Opens the page anew, in a browser without cookies. */
  const open = async (host = 'localhost'): Promise<void> => {
    await context?.close();
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(`http://${host}:${port}/`);
    await page.waitForFunction('window.ask !== undefined');
  };

  const ask = (path: string, init = '{}'): Promise<Seen> =>
    page.evaluate(`ask(${JSON.stringify(path)}, ${init})`);
  const post = (path: string, fields: object, init = '{}'): Promise<Seen> =>
    ask(path, `form(${JSON.stringify(fields)}, ${init})`);
  const bearer = (token = ''): string =>
    JSON.stringify({ headers: { authorization: `Bearer ${token}` } });

  it('logs in, calls, refreshes and logs out with tokens', async () => {
    await boot({});
    await open();
    const { json: first } = await post('/token', CREDENTIALS);
    expect((await ask('/private/custom', bearer(first.access_token))).status).toBe(200);
    const refreshed = await post('/token', {
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token,
    });
    const { access_token: access } = refreshed.json;
    expect((await ask('/private/custom', bearer(access))).status).toBe(200);
    const logout = JSON.stringify({ method: 'POST', ...JSON.parse(bearer(access)) });
    expect((await ask('/logout', logout)).status).toBe(204);
    const refused = await ask('/private/custom', bearer(access));
    expect([refused.status, refused.json.code]).toEqual([401, 'token_revoked']);
    expect(refused.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(refused.headers['x-request-id']).toBe(refused.json.request_id);
  });

  it('reads refusals of every kind', async () => {
    await boot({ THROTTLE_LIMIT: '3' });
    await open();
    expect((await ask('/token', '{ method: "PUT" }')).json.code).toBe('method_not_allowed');
    expect((await post('/token', { a: 'x'.repeat(20_000) })).json.code).toBe('body_too_large');
    const text = await ask('/token', '{ method: "POST", body: "x" }');
    expect(text.json.code).toBe('media_type_unsupported');
    for (let i = 0; i < 3; i++) await post('/token', CREDENTIALS);
    const refused = await post('/token', CREDENTIALS);
    expect([refused.status, refused.json.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('does the same with cookies of the same site', async () => {
    await boot({ SESSION_COOKIES: 'true', VALIDATOR_COOKIE_KEY: '__Host-access_token' });
    await open();
    const cookies = '{ credentials: "include" }';
    const grant = { grant_type: 'refresh_token' };
    expect((await post('/token', CREDENTIALS, cookies)).status).toBe(200);
    expect((await ask('/private/custom', cookies)).status).toBe(200);
    const refreshed = await post('/token', grant, cookies);
    expect([refreshed.status, refreshed.json.access_token]).toEqual([200, undefined]);
    expect((await ask('/private/custom', cookies)).status).toBe(200);
    expect((await post('/logout', {}, cookies)).status).toBe(204);
    expect((await ask('/private/custom', cookies)).status).toBe(401);
    expect(await context.cookies()).toEqual([]);
  });

  it('can do nothing where its origin is not listed', async () => {
    await open('127.0.0.1');
    const cookies = '{ credentials: "include" }';
    for (const init of ['{}', cookies]) {
      expect((await post('/token', CREDENTIALS, init)).status).toBe('TypeError: Failed to fetch');
      expect((await ask('/private/custom', init)).status).toBe('TypeError: Failed to fetch');
    }
    expect(await context.cookies()).toEqual([]);
    const keys = await ask('/.well-known/jwks.json');
    expect([keys.status, keys.json]).toEqual([200, { keys: [] }]);
  });
});
