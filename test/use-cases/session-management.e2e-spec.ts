import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../helpers/gateway/gateway.js';
import {
  blocksOf,
  environmentOf,
  expectSession,
  startByDefaults,
} from '../helpers/pages/manual.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
} from '../helpers/sessions/sessions.js';

const [START, PAGE, ADMIN] = blocksOf('recipes', 'Session management', 'bash', 'js', 'bash');
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startByDefaults(environmentOf(START));
});
afterAll(() => gateway?.stop());

/** What a browser is to a page of the gateway's origin: it keeps cookies, and says where requests come from. */
class Browser {
  readonly seen: string[] = [];
  readonly cookies = new Map<string, string>();

  readonly fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(gateway.url + path, {
      ...init,
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    this.seen.push(`${init.method ?? 'GET'} ${path} ${answer.status}`);
    return answer;
  };

  /** Runs a script of the page. */
  run(script: string): Promise<void> {
    return runInNewContext(`(async () => { ${script} })()`, {
      fetch: this.fetch,
      URLSearchParams,
    }) as Promise<void>;
  }
}

describe('a session in cookies', () => {
  it("goes through the recipe's page from login to logout", async () => {
    const browser = new Browser();
    const beforeLogout = PAGE.split('\n').filter((line) => !line.includes('/logout'));
    await browser.run(beforeLogout.join('\n'));
    const stolen = browser.cookies.get('__Host-access_token') ?? '';
    const kept = browser.cookies.get('__Host-refresh_token') ?? '';
    expect(await custom(gateway.url, stolen)).toBe('200');

    await browser.run(PAGE);
    const page = ['POST /token 200', 'GET /private/custom 200', 'POST /token 200'];
    expect(browser.seen).toEqual([...page, ...page, 'POST /logout 204']);
    expect(browser.cookies.size).toBe(0);
    // The page's second login began another session: only that one has ended.
    expect(await custom(gateway.url, stolen)).toBe('200');
    expect(verdictOf(await refresh(gateway.url, kept))).toBe('200');
  });

  it('ends for all who share it', async () => {
    const { access, refresh: token } = await login(gateway.url);
    const next = pairOf(await refresh(gateway.url, token));
    const elsewhere = { authorization: `Bearer ${access}` };
    expect(verdictOf(await postForm(`${gateway.url}/logout`, {}, elsewhere))).toBe('204');
    expect(await custom(gateway.url, next.access)).toBe('401 token_revoked');
    expect(verdictOf(await refresh(gateway.url, next.refresh))).toBe('400 refresh_token_invalid');
  });

  it('ends with all others of a user when an admin says so', async () => {
    const bob = { username: 'bob', password: 'builder' };
    const logIn = async (): Promise<ReturnType<typeof pairOf>> =>
      pairOf(await postForm(`${gateway.url}/token`, bob, { origin: gateway.url }));
    const sessions = [await logIn(), await logIn()];
    await expectSession(ADMIN, gateway.url);
    for (const { access, refresh: token } of sessions) {
      expect(await custom(gateway.url, access)).toBe('401 token_revoked');
      expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
    }
    // Tokens of the next second are new ones. Bob's role never reached the route: 403.
    await expect
      .poll(async () => custom(gateway.url, (await logIn()).access))
      .toBe('403 roles_missing');
  });
});
