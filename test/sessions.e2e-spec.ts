import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from './helpers/backends/backend.js';
import { startBrowser, withoutBrowser } from './helpers/pages/browser.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { call, expectError } from './helpers/network/http.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  startSessionBackend,
  verdictOf,
} from './helpers/sessions/sessions.js';

let backend: Backend;
let gateway: Gateway;

beforeAll(async () => {
  backend = await startSessionBackend();
  gateway = await startGateway({
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'sim2')]),
    SESSION_COOKIES: 'true',
    VALIDATOR_COOKIE_KEY: '__Host-access_token',
    REFRESH_BACKEND_PATH: '/refresh.json',
  });
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

describe('session cookies', () => {
  it('carry the tokens of the answer, for as long as they live', async () => {
    const answer = await postForm(`${gateway.url}/token`, {}, { origin: gateway.url });
    const { access, refresh } = pairOf(answer);
    const rest = 'Path=/; HttpOnly; Secure; SameSite=Strict';
    const [ofAccess, ofRefresh, ...others] = answer.headers.getSetCookie();
    // A second may begin between the signature and the cookie.
    expect(ofAccess).toMatch(
      new RegExp(`^__Host-access_token=${access}; ${rest}; Max-Age=(?:3600|3599)$`),
    );
    expect(ofRefresh).toMatch(
      new RegExp(`^__Host-refresh_token=${refresh}; ${rest}; Max-Age=(?:1209600|1209599)$`),
    );
    expect(others).toEqual([]);
    expect(part(access, 1).sid).toBe(part(refresh, 1).sid);
  });

  const asked = (
    path: string,
    cookie: string,
    headers: Record<string, string> = {},
    form: Record<string, string> = {},
  ): Promise<string> => postForm(gateway.url + path, form, { cookie, ...headers }).then(verdictOf);

  it('refresh and log out only for requests of the own origin', async () => {
    const { access, refresh } = await login(gateway.url);
    const cookie = `__Host-access_token=${access}; __Host-refresh_token=${refresh}`;
    const grant = { grant_type: 'refresh_token' };
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${gateway.url}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      // What the browser itself says counts more.
      { 'sec-fetch-site': 'cross-site', origin: gateway.url },
    ] as Record<string, string>[]) {
      expect(await asked('/token', cookie, headers, grant)).toBe('403 csrf_refused');
      expect(await asked('/logout', cookie, headers)).toBe('403 csrf_refused');
    }
    expect(await custom(gateway.url, access)).toBe('200');
    expect(await asked('/token', cookie, { origin: gateway.url }, grant)).toBe('200');
    expect(await asked('/logout', cookie, { 'sec-fetch-site': 'same-origin' })).toBe('204');
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('are cleared by a logout, and by one whose session is gone', async () => {
    const { access } = await login(gateway.url);
    const logout = (): Promise<Awaited<ReturnType<typeof call>>> =>
      call(`${gateway.url}/logout`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}` },
      });
    const [first, second] = [await logout(), await logout()];
    expect([first.status, second.status]).toEqual([204, 401]);
    for (const { headers } of [first, second])
      expect(headers.getSetCookie()).toEqual([
        '__Host-access_token=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0',
        '__Host-refresh_token=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0',
      ]);
  });

  it('give way to a token in the header', async () => {
    const { access } = await login(gateway.url);
    const answer = await call(`${gateway.url}/private/custom`, {
      headers: { authorization: 'Bearer a.b.c', cookie: `__Host-access_token=${access}` },
    });
    expectError(answer, 401, 'token_malformed');
  });

  it('do not exist unless asked for', async () => {
    const plain = await hostGateway({ BACKEND_HOST: backend.url });
    const answer = await call(`${plain.url}/token`, { method: 'POST' });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('are refused with tokens that no cookie can hold', async () => {
    const { lines } = await refuseInHost({ SESSION_COOKIES: 'true', SIGNER_FULL: 'true' });
    expect(lines).toEqual([expect.stringContaining('SESSION_COOKIES needs compact tokens')]);
  });
});

describe.skipIf(withoutBrowser)('in a real browser', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let stranger: Server;
  let strangeUrl: string;

  beforeAll(async () => {
    browser = await startBrowser();
    // The gateway's own pages may load nothing; these stand for an application behind the same origin.
    context = await browser.newContext({ bypassCSP: true });
    page = await context.newPage();
    stranger = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Win a prize</h1>');
    }).listen(0);
    await once(stranger, 'listening');
    strangeUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser?.close();
    stranger?.close();
  });

  /** Status of a request that a script of the present page makes. */
  const ask = (path: string, method: string, body?: string): Promise<number> =>
    page.evaluate(
      async ([url, verb, form]) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const init = form === undefined ? {} : { body: form, headers };
        return (await fetch(url, { method: verb, credentials: 'include', ...init })).status;
      },
      [gateway.url + path, method, body] as const,
    );

  it('logs in, calls, refreshes and logs out', async () => {
    await page.goto(`${gateway.url}/health/live`);
    expect(await ask('/private/custom', 'GET')).toBe(401);
    expect(await ask('/token', 'POST', 'username=alice')).toBe(200);
    expect(await ask('/private/custom', 'GET')).toBe(200);
    expect(await page.evaluate('document.cookie')).toBe('');
    const before = await context.cookies();
    expect(before.map(({ name, httpOnly, secure, sameSite }) => [name, httpOnly, secure, sameSite]))
      .toEqual([
        ['__Host-access_token', true, true, 'Strict'],
        ['__Host-refresh_token', true, true, 'Strict'],
      ]); // prettier-ignore
    expect(await ask('/token', 'POST', 'grant_type=refresh_token')).toBe(200);
    expect((await context.cookies())[1]?.value).not.toBe(before[1]?.value);
    expect(await ask('/private/custom', 'GET')).toBe(200);
  });

  /** What the gateway answers to a form that the stranger's page sends. */
  const submit = async (path: string): Promise<number | undefined> => {
    await page.setContent(
      `<form method="post" action="${gateway.url}${path}"><button>Claim it</button></form>`,
    );
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url() === gateway.url + path),
      page.click('button'),
    ]);
    return answer.status();
  };

  it('a page of another origin changes nothing with the cookies', async () => {
    // The same site: the browser sends the cookies along, and the gateway refuses.
    await page.goto(strangeUrl);
    expect(await submit('/logout')).toBe(403);
    // Another site: the browser itself keeps them back.
    await page.goto(strangeUrl.replace('127.0.0.1', 'localhost'));
    expect(await submit('/logout')).toBe(401);
    await page.goto(`${gateway.url}/health/live`);
    expect(await ask('/private/custom', 'GET')).toBe(200);
  });

  it('is out after a logout, with and without its cookies', async () => {
    const [cookie] = await context.cookies();
    expect(await ask('/logout', 'POST')).toBe(204);
    expect(await context.cookies()).toEqual([]);
    expect(await ask('/private/custom', 'GET')).toBe(401);
    expect(await custom(gateway.url, cookie?.value ?? '')).toBe('401 token_revoked');
  });
});
