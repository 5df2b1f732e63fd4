import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { call, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { login, pairOf, postForm, verdictOf } from './helpers/sessions/sessions.js';

const APP = 'https://app.example';
const EVIL = 'https://evil.example';
const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER };
let backend: Backend;
let base: Record<string, string>;

beforeAll(async () => {
  backend = await startBackend();
  const body = {
    access_token: { ...CLAIMS, roles: ['role_a'] },
    refresh_token: CLAIMS,
    extra: { id_token: CLAIMS, amount: 1 },
  };
  await backend.answer('/token.json', { body });
  await backend.answer('/refresh.json', { body });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  base = {
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'sim2')]),
    REFRESH_BACKEND_PATH: '/refresh.json',
    SIGNER_KEYS_TO_SIGN: 'access_token,refresh_token,extra.id_token',
  };
});
afterAll(() => backend?.stop());

const COOKIES = { SESSION_COOKIES: 'true', VALIDATOR_COOKIE_KEY: '__Host-access_token' };

/** What an answer says to a browser of pages of other origins. */
const corsOf = ({ headers }: Answer): Record<string, string> =>
  Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
  );
const EXPOSED = 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id';
const READABLE = {
  'access-control-allow-origin': APP,
  'access-control-expose-headers': EXPOSED,
  vary: 'Origin',
};
const preflight = (url: string, origin: string, headers?: string): Promise<Answer> =>
  call(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      ...(headers === undefined ? {} : { 'access-control-request-headers': headers }),
    },
  });

describe('pages of other origins', () => {
  let gateway: Gateway;
  const json = { 'content-type': 'application/json' };
  const requests: [string, string, RequestInit, number][] = [
    ['a login', '/token', { method: 'POST' }, 200],
    ['a wrong method', '/token', {}, 405],
    ['a body that is too large', '/token', { method: 'POST', body: 'x'.repeat(20_000) }, 413],
    ['a type of body that is not taken', '/token', { method: 'POST', body: 'x' }, 415],
    ['a revocation', '/token/revoke', { method: 'POST', body: 'token=x' }, 415],
    ['a body that is no JSON', '/token/revoke', { method: 'POST', body: '{', headers: json }, 400],
    ['a protected route', '/private/custom', {}, 401],
    ['a logout', '/logout', { method: 'POST' }, 401],
    ['a path that is not there', '/nowhere', {}, 404],
  ];
  const from = (origin: string | undefined, init: RequestInit): RequestInit => ({
    ...init,
    headers: [
      ...new Headers(init.headers),
      ...(origin === undefined ? [] : [['origin', origin] as [string, string]]),
    ],
  });

  describe('of a list', () => {
    beforeAll(async () => {
      gateway = await hostGateway({ ...base, CORS_ORIGINS: `https://other.example, ${APP}/` });
    });

    it.each(requests)('read the answer to %s', async (_name, path, init, status) => {
      const answer = await call(gateway.url + path, from(APP, init));
      expect([answer.status, corsOf(answer)]).toEqual([status, READABLE]);
    });

    it.each([EVIL, 'null', `${APP}.evil.example`, `${APP}:444`, 'http://app.example', undefined])(
      'are not those of %s',
      async (origin) => {
        for (const [, path, init, status] of requests) {
          const answer = await call(gateway.url + path, from(origin, init));
          expect([answer.status, corsOf(answer)]).toEqual([status, { vary: 'Origin' }]);
        }
      },
    );

    it('may ask first', async () => {
      const answer = await preflight(`${gateway.url}/token`, APP, 'authorization,dpop,x-any');
      expect([answer.status, answer.text, corsOf(answer)]).toEqual([
        204,
        '',
        {
          ...READABLE,
          'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
          'access-control-allow-headers': 'authorization,dpop,x-any',
          'access-control-max-age': '7200',
        },
      ]);
      expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
      const plain = await preflight(`${gateway.url}/private/custom`, APP);
      expect([plain.status, corsOf(plain)['access-control-allow-headers']]).toEqual([
        204,
        undefined,
      ]);
    });

    it('are answered as any other where they do not, or may not', async () => {
      const init = { method: 'OPTIONS', headers: { origin: APP } };
      const answer = await call(`${gateway.url}/token`, init);
      expectError(answer, 405, 'method_not_allowed');
      expect([answer.headers.get('allow'), corsOf(answer)]).toEqual(['POST', READABLE]);
      const refused = await preflight(`${gateway.url}/token`, EVIL, 'authorization');
      expectError(refused, 405, 'method_not_allowed');
      expect(corsOf(refused)).toEqual({ vary: 'Origin' });
    });

    it.each([
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-protected-resource',
    ])('are all that there are, of %s', async (path) => {
      for (const origin of [APP, EVIL]) {
        const answer = await call(gateway.url + path, { headers: { origin } });
        expect([answer.status, corsOf(answer)]).toEqual([
          200,
          { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED },
        ]);
        const asked = await preflight(gateway.url + path, origin, 'mcp-protocol-version');
        expect([asked.status, corsOf(asked)['access-control-allow-origin']]).toEqual([204, '*']);
      }
    });

    it('have no say of the path in a query', async () => {
      const answer = await call(`${gateway.url}/private/custom?/.well-known/`, from(EVIL, {}));
      expect(corsOf(answer)).toEqual({ vary: 'Origin' });
    });
  });

  it('read that there were too many requests', async () => {
    gateway = await hostGateway({ ...base, CORS_ORIGINS: APP, THROTTLE_LIMIT: '1' });
    const init = from(APP, { method: 'POST' });
    await call(`${gateway.url}/token`, init);
    const answer = await call(`${gateway.url}/token`, init);
    expectError(answer, 429, 'rate_limited');
    expect(corsOf(answer)).toEqual(READABLE);
  });

  it('read everything with *, and never with cookies', async () => {
    gateway = await hostGateway({ ...base, CORS_ORIGINS: '*' });
    for (const [, path, init, status] of requests) {
      const answer = await call(gateway.url + path, from(EVIL, init));
      expect([answer.status, corsOf(answer)]).toEqual([
        status,
        { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED },
      ]);
    }
    const { lines } = await refuseInHost({ ...base, ...COOKIES, CORS_ORIGINS: '*' });
    expect(lines).toEqual([expect.stringContaining('CORS_ORIGINS=* cannot be with')]);
  });

  it('read nothing but public documents where it is unset', async () => {
    gateway = await hostGateway(base);
    for (const [, path, init, status] of requests) {
      const answer = await call(gateway.url + path, from(APP, init));
      expect([answer.status, corsOf(answer)]).toEqual([status, {}]);
    }
    expectError(await preflight(`${gateway.url}/token`, APP), 405, 'method_not_allowed');
    const keys = await call(`${gateway.url}/.well-known/jwks.json`, from(EVIL, {}));
    expect(corsOf(keys)).toEqual({ 'access-control-allow-origin': '*' });
    // With a header of its own a page asks first.
    for (const path of ['jwks.json', 'oauth-protected-resource/private', 'openid-configuration']) {
      const url = `${gateway.url}/.well-known/${path}`;
      const asked = await preflight(url, EVIL, 'mcp-protocol-version');
      expect([asked.status, corsOf(asked)]).toMatchObject([
        204,
        {
          'access-control-allow-origin': '*',
          'access-control-allow-headers': 'mcp-protocol-version',
        },
      ]);
    }
    const query = await preflight(`${gateway.url}/token?/.well-known/`, EVIL);
    expectError(query, 405, 'method_not_allowed');
  });

  it.each([
    'app.example',
    'https://app.example/path',
    'https://u@app.example',
    '*,https://a',
    '**',
  ])('are not named %s', async (value) => {
    const { lines } = await refuseInHost({ ...base, CORS_ORIGINS: value });
    expect(lines).toEqual([expect.stringMatching(/^CORS_ORIGINS /)]);
  });
});

it('a login gets the listed header cookie where there are no session cookies, too, and never theirs', async () => {
  const { url } = await hostGateway({ ...base, BACKEND_INPUT_HEADERS: 'Cookie' });
  const { access, refresh } = await login(url);
  const ours = `__Host-access_token=${access}; __Host-refresh_token=${refresh}`;
  for (const form of [
    { username: 'alice' },
    { grant_type: 'refresh_token', refresh_token: refresh },
  ] as Record<string, string>[]) {
    await postForm(`${url}/token`, form, { cookie: `theme=dark; ${ours}` });
    const path = 'username' in form ? '/token.json' : '/refresh.json';
    expect((await backend.lastCall(path)).headers.cookie).toBe('theme=dark');
  }
});

describe('while cookies are on', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await hostGateway({
      ...base,
      ...COOKIES,
      CORS_ORIGINS: `${APP},capacitor://localhost`,
      TRUST_PROXY: 'loopback',
      BACKEND_INPUT_HEADERS: 'cookie,authorization',
    });
  });

  /** Status of a login with these headers, and whether it set cookies. */
  const loginWith = async (headers: Record<string, string>): Promise<string> => {
    const answer = await postForm(`${gateway.url}/token`, { username: 'a' }, headers);
    return `${verdictOf(answer)} ${answer.headers.getSetCookie().length}`;
  };

  it.each<[string, (own: string) => Record<string, string>]>([
    ['the own origin', (own) => ({ origin: own })],
    ['the own origin, in capitals', (own) => ({ origin: own.toUpperCase() })],
    ['a page of the own origin', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['a trusted origin', () => ({ origin: APP, 'sec-fetch-site': 'same-site' })],
    ['a trusted application', () => ({ origin: 'capacitor://localhost' })],
    [
      'the origin that a trusted proxy tells',
      () => ({
        origin: 'https://gw.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'gw.example:443',
      }),
    ],
    [
      'the origin behind a proxy, with its port',
      () => ({
        origin: 'https://gw.example:443',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'gw.example',
      }),
    ],
  ])('a login is taken from %s', async (_name, headers) => {
    expect(await loginWith(headers(gateway.url))).toBe('200 2');
  });

  it.each<[string, (own: string) => Record<string, string>]>([
    ['nowhere', () => ({})],
    ['another origin', () => ({ origin: EVIL })],
    ['another origin of the same site', () => ({ origin: EVIL, 'sec-fetch-site': 'same-site' })],
    ['an opaque origin', () => ({ origin: 'null' })],
    ['an address that was typed in', () => ({ 'sec-fetch-site': 'none' })],
    ['an origin with the own one before it', (own) => ({ origin: `${own}.evil.example` })],
    ['an origin with the own one behind it', (own) => ({ origin: `https://evil@${own.slice(7)}` })],
    ['the own origin by https', (own) => ({ origin: own.replace('http:', 'https:') })],
    ['a URL that is no origin', (own) => ({ origin: `${own}/path` })],
  ])('a login is refused from %s, and no backend is asked', async (_name, headers) => {
    const before = backend.seen.length;
    expect(await loginWith(headers(gateway.url))).toBe('403 csrf_refused 0');
    const token = { grant_type: 'refresh_token', refresh_token: 'x' };
    const refreshed = await postForm(`${gateway.url}/token`, token, headers(gateway.url));
    expect(verdictOf(refreshed)).toBe('403 csrf_refused');
    expect(backend.seen.length).toBe(before);
  });

  it('a refusal and an answer can be read by a trusted page with its cookies', async () => {
    for (const [path, status] of [['/token', 405], ['/private/custom', 401]] as const) {
      const answer = await call(gateway.url + path, { headers: { origin: APP } });
      expect([answer.status, corsOf(answer)]).toEqual([
        status,
        { ...READABLE, 'access-control-allow-credentials': 'true' },
      ]);
    }
    const keys = await call(`${gateway.url}/.well-known/jwks.json`, { headers: { origin: APP } });
    expect(corsOf(keys)['access-control-allow-credentials']).toBeUndefined();
  }); // prettier-ignore

  it('a refresh by cookie gives tokens as cookies only, also when it is repeated', async () => {
    const { refresh } = await login(gateway.url);
    const byCookie = (): Promise<Answer> =>
      postForm(
        `${gateway.url}/token`,
        { grant_type: 'refresh_token' },
        { cookie: `__Host-refresh_token=${refresh}`, origin: APP },
      );
    const [first, again] = [await byCookie(), await byCookie()];
    for (const answer of [first, again]) {
      expect(answer.json).toEqual({
        extra: { amount: 1 },
        token_type: 'Bearer',
        expires_in: expect.any(Number),
      });
      expect(answer.headers.getSetCookie()).toHaveLength(2);
    }
    expect(cookieNames(again)).toEqual(cookieNames(first));
    const byParameter = await postForm(
      `${gateway.url}/token`,
      { grant_type: 'refresh_token', refresh_token: (await login(gateway.url)).refresh },
      { origin: APP },
    );
    expect(Object.keys(pairOf(byParameter)).length).toBe(2);
    expect(byParameter.text).toMatch(/"access_token":"eyJ/);
  });

  const cookieNames = ({ headers }: Answer): string[] =>
    headers.getSetCookie().map((line) => line.split(';', 1)[0] as string);

  it('two cookies of one name are refused, whatever they are', async () => {
    const { access, refresh } = await login(gateway.url);
    const twice = (name: string, token: string): Record<string, string> => ({
      cookie: `${name}=${token}; ${name}=${token}`,
      origin: gateway.url,
    });
    const grant = { grant_type: 'refresh_token' };
    const ofRefresh = twice('__Host-refresh_token', refresh);
    const ofAccess = twice('__Host-access_token', access);
    const custom = `${gateway.url}/private/custom`;
    expectError(await postForm(`${gateway.url}/token`, grant, ofRefresh), 400, 'token_ambiguous');
    expectError(await postForm(`${gateway.url}/logout`, {}, ofRefresh), 400, 'token_ambiguous');
    expectError(await postForm(`${gateway.url}/logout`, {}, ofAccess), 400, 'token_ambiguous');
    expectError(await call(custom, { headers: ofAccess }), 400, 'token_ambiguous');
  });

  it('a backend gets other cookies, and no token', async () => {
    const { access, refresh } = await login(gateway.url);
    const cookie = `a=1; __Host-access_token=${access}; __Host-refresh_token=${refresh}; b=2`;
    const seen = (): unknown[] =>
      ['cookie', 'authorization'].map((name) => backend.seen.at(-1)?.headers[name]);
    await postForm(`${gateway.url}/token`, {}, { cookie, origin: gateway.url, authorization: `Bearer ${access}` });
    expect(seen()).toEqual(['a=1; b=2', undefined]);
    await call(`${gateway.url}/private/custom`, { headers: { cookie } });
    expect(seen()).toEqual(['a=1; b=2', undefined]);
    const grant = { grant_type: 'refresh_token' };
    await postForm(`${gateway.url}/token`, grant, { cookie, origin: gateway.url });
    expect(seen()).toEqual(['a=1; b=2', undefined]);
  }); // prettier-ignore
});
