import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayStatus } from '../src/management/index.js';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { byBasic, writeClients } from './helpers/sessions/clients.js';
import { createDpopClient } from './helpers/sessions/dpop.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost, type HostedGateway } from './helpers/gateway/host.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/stores/redis.js';
import { tempFolder } from './helpers/run/resources.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
  type Pair,
} from './helpers/sessions/sessions.js';

let backend: Backend;
let base: Record<string, string>;

/** From now on the login is of this user. */
const be = async (sub: string, more: object = {}): Promise<void> => {
  const claims = { sub, aud: AUDIENCE, client_id: 'web', ...more };
  const body = { access_token: { ...claims, roles: ['role_a'] }, refresh_token: claims };
  for (const path of ['/token.json', '/refresh.json']) await backend.answer(path, { body });
};

beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/user/1.json', { body: { id: 1 } });
  base = {
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'sim2')]),
    REFRESH_BACKEND_PATH: '/refresh.json',
    SESSION_LIST: 'true',
    ADMIN_ROLES: 'admin',
    TRUST_PROXY: 'loopback',
    REFRESH_RETRY_WINDOW: '0',
  };
});
afterAll(() => backend?.stop());

interface Listed {
  sid: string;
  created_at: number;
  last_used_at: number;
  expires_at: number;
  current?: boolean;
  [name: string]: unknown;
}
const listOf = ({ json }: Answer): Listed[] => json.sessions as Listed[];
/** Of a session that is noted in the second in which its token was issued, or in the next. */
const soonAfter = (issued: unknown): unknown => expect.toBeOneOf([issued, (issued as number) + 1]);
const sidOf = ({ access }: Pair): unknown => part(access, 1).sid;
const remove = (url: string, token: string): Promise<Answer> =>
  call(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });

/** What the list of a token's user holds. */
const sidsOf = async (gateway: Gateway, { access }: Pair): Promise<string[]> =>
  listOf(await callWith(`${gateway.url}/sessions`, access)).map(({ sid }) => sid);

/** What the status page says of them. */
async function statusOf({ management }: Gateway): Promise<object> {
  const status = (await (await fetch(`${management}/status.json`)).json()) as GatewayStatus;
  const { listsSessions, sessions } = status.store;
  return { listsSessions, sessions };
}

/** Which of these sessions go on. */
const alive = async (gateway: Gateway, ...pairs: Pair[]): Promise<boolean[]> =>
  Promise.all(pairs.map(async ({ access }) => (await custom(gateway.url, access)) === '200'));

describe('GET /sessions', () => {
  let gateway: HostedGateway;
  beforeAll(async () => {
    gateway = await hostGateway(base);
  });

  it('tells what a person recognizes, the oldest login first', async () => {
    await be('ann');
    const first = pairOf(
      await postForm(
        `${gateway.url}/token`,
        {},
        { 'user-agent': 'Firefox \u00b7 Linux', 'x-forwarded-for': '203.0.113.77' },
      ),
    );
    await gateway.advanceClock(100);
    const second = pairOf(
      await postForm(
        `${gateway.url}/token`,
        {},
        { 'user-agent': 'x'.repeat(1000), 'x-forwarded-for': '2001:db8:1:2::3' },
      ),
    );
    const answer = await callWith(`${gateway.url}/sessions`, second.access);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { iat, exp } = part(first.refresh, 1) as { iat: number; exp: number };
    const later = part(second.refresh, 1).iat as number;
    expect(later).toBeGreaterThanOrEqual(iat + 100);
    expect(answer.json).toEqual({
      sessions: [
        {
          sid: sidOf(first),
          created_at: soonAfter(iat),
          last_used_at: soonAfter(iat),
          expires_at: exp,
          client_id: 'web',
          user_agent: expect.stringMatching(/^Firefox .* Linux$/),
          address: '203.0.113.0/24',
        },
        expect.objectContaining({
          sid: sidOf(second),
          created_at: soonAfter(later),
          user_agent: 'x'.repeat(256),
          address: '2001:db8:1::/48',
          current: true,
        }),
      ],
    });
  });

  it('tells of the last refresh, and by whom', async () => {
    await be('bert');
    const begun = await login(gateway.url);
    await gateway.advanceClock(50);
    const next = pairOf(
      await postForm(
        `${gateway.url}/token`,
        { grant_type: 'refresh_token', refresh_token: begun.refresh },
        { 'user-agent': 'elsewhere', 'x-forwarded-for': '198.51.100.1' },
      ),
    );
    const [session, ...others] = listOf(await callWith(`${gateway.url}/sessions`, next.access));
    expect(others).toEqual([]);
    expect(session).toMatchObject({
      sid: sidOf(begun),
      created_at: soonAfter(part(begun.access, 1).iat),
      last_used_at: soonAfter(part(next.access, 1).iat),
      expires_at: part(next.refresh, 1).exp,
      user_agent: 'elsewhere',
      address: '198.51.100.0/24',
      current: true,
    });
  });

  it('forgets a session whatever ended it', async () => {
    await be('cleo');
    const keeper = await login(gateway.url);
    const ends: ((pair: Pair) => Promise<unknown>)[] = [
      ({ access }) => call(`${gateway.url}/logout`, { method: 'POST', headers: { authorization: `Bearer ${access}` } }),
      ({ refresh: token }) => postForm(`${gateway.url}/token/revoke`, { token }),
      async ({ refresh: token }) => [await refresh(gateway.url, token), await refresh(gateway.url, token)],
      ({ access }) => remove(`${gateway.url}/sessions/${String(part(access, 1).sid)}`, access),
    ]; // prettier-ignore
    for (const end of ends) {
      const pair = await login(gateway.url);
      expect(await sidsOf(gateway, keeper)).toEqual([sidOf(keeper), sidOf(pair)]);
      await end(pair);
      expect(await sidsOf(gateway, keeper)).toEqual([sidOf(keeper)]);
    }
  });

  it('forgets a session that has expired', async () => {
    // Its clock was set ahead before.
    const iat = Number(part((await login(gateway.url)).access, 1).iat);
    await be('dora', { exp: iat + 1000 });
    await login(gateway.url);
    await be('dora');
    await gateway.advanceClock(1000);
    const pair = await login(gateway.url);
    expect(await sidsOf(gateway, pair)).toEqual([sidOf(pair)]);
  });

  it('needs a token, and shows nothing of others', async () => {
    expectError(await call(`${gateway.url}/sessions`), 401, 'token_missing');
    await be('emil');
    const emil = await login(gateway.url);
    await be('fred');
    const fred = await login(gateway.url);
    expect(await sidsOf(gateway, emil)).toEqual([sidOf(emil)]);
    const stolen = await remove(`${gateway.url}/sessions/${String(sidOf(emil))}`, fred.access);
    expectError(stolen, 404, 'not_found');
    expect((await remove(`${gateway.url}/sessions`, fred.access)).status).toBe(204);
    expect(await alive(gateway, emil, fred)).toEqual([true, false]);
  });

  it('knows nobody whose tokens name nobody', async () => {
    const body = { access_token: { aud: AUDIENCE, roles: ['role_a'] } };
    await backend.answer('/token.json', { body });
    const { access } = await login(gateway.url);
    expect((await callWith(`${gateway.url}/sessions`, access)).json).toEqual({ sessions: [] });
    expect((await remove(`${gateway.url}/sessions`, access)).status).toBe(204);
    expect(await custom(gateway.url, access)).toBe('200');
  });

  it('holds no tokens that a client gets for itself', async () => {
    await be('gil');
    const user = await login(gateway.url);
    const grant = { grant_type: 'client_credentials' };
    expect(verdictOf(await postForm(`${gateway.url}/token`, grant))).toBe('200');
    expect(await sidsOf(gateway, user)).toEqual([sidOf(user)]);
  });
});

describe('DELETE /sessions', () => {
  let gateway: HostedGateway;
  beforeAll(async () => {
    gateway = await hostGateway(base);
  });
  const three = async (): Promise<[Pair, Pair, Pair]> => [
    await login(gateway.url),
    await login(gateway.url),
    await login(gateway.url),
  ];

  it('ends one', async () => {
    await be('one');
    const [a, b, c] = await three();
    const url = `${gateway.url}/sessions/${String(sidOf(b))}`;
    expect((await remove(url, a.access)).status).toBe(204);
    expect(await alive(gateway, a, b, c)).toEqual([true, false, true]);
    expect(verdictOf(await refresh(gateway.url, b.refresh))).toBe('400 refresh_token_invalid');
    expectError(await remove(url, a.access), 404, 'not_found');
  });

  it('ends all others', async () => {
    await be('others');
    const [a, b, c] = await three();
    expect((await remove(`${gateway.url}/sessions?others=true`, b.access)).status).toBe(204);
    expect(await alive(gateway, a, b, c)).toEqual([false, true, false]);
    expect(verdictOf(await refresh(gateway.url, b.refresh))).toBe('200');
  });

  it('ends all, and a login after it is good at once', async () => {
    await be('all');
    const sessions = await three();
    expect((await remove(`${gateway.url}/sessions`, sessions[1].access)).status).toBe(204);
    const next = await login(gateway.url);
    expect(await alive(gateway, ...sessions, next)).toEqual([false, false, false, true]);
    for (const { refresh: token } of sessions)
      expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
    expect(await sidsOf(gateway, next)).toEqual([sidOf(next)]);
  });

  it.each([
    'others=false',
    'others',
    'others=1',
    'others=true&others=true',
    'other=true',
    'Others=true',
    'others[]=true',
    'others=true&sid=x',
  ])('ends none for %s', async (query) => {
    await be('typo');
    const pair = await login(gateway.url);
    const answer = await remove(`${gateway.url}/sessions?${query}`, pair.access);
    expectError(answer, 400, 'body_malformed');
    expect(await alive(gateway, pair)).toEqual([true]);
  });
});

describe('/admin/sessions', () => {
  let gateway: HostedGateway;
  let admin: string;
  beforeAll(async () => {
    gateway = await hostGateway(base);
    await be('root', { roles: ['admin'] });
    const body = { access_token: { sub: 'root', aud: AUDIENCE, roles: ['admin'] } };
    await backend.answer('/token.json', { body });
    admin = pairOf(await call(`${gateway.url}/token`, { method: 'POST' })).access;
  });

  it('lists and ends the sessions of a user', async () => {
    await be('u1');
    const [a, b] = [await login(gateway.url), await login(gateway.url)];
    await be('u2');
    const other = await login(gateway.url);
    const url = `${gateway.url}/admin/sessions?sub=u1`;
    const listed = await callWith(url, admin);
    expect(listOf(listed).map(({ sid, current }) => [sid, current])).toEqual([
      [sidOf(a), undefined],
      [sidOf(b), undefined],
    ]);
    expect((await remove(`${url}&sid=${String(sidOf(a))}`, admin)).status).toBe(204);
    expect(await alive(gateway, a, b)).toEqual([false, true]);
    expectError(await remove(`${url}&sid=${String(sidOf(other))}`, admin), 404, 'not_found');
    expect((await remove(url, admin)).status).toBe(204);
    expect(await alive(gateway, a, b, other)).toEqual([false, false, true]);
    expect(listOf(await callWith(url, admin))).toEqual([]);
  });

  it.each(['', '?sub=', '?user=u1', '?sub=u1&sdi=x', '?sub=u1&sub=u2'])(
    'refuses %j and ends nothing',
    async (query) => {
      await be('u1');
      const pair = await login(gateway.url);
      const answer = await remove(`${gateway.url}/admin/sessions${query}`, admin);
      expectError(answer, 400, 'body_malformed');
      expect(await alive(gateway, pair)).toEqual([true]);
    },
  );

  it('is for admins only', async () => {
    await be('u1');
    const { access } = await login(gateway.url);
    const url = `${gateway.url}/admin/sessions?sub=u1`;
    expectError(await callWith(url, access), 403, 'roles_missing');
    expectError(await remove(url, access), 403, 'roles_missing');
    expectError(await call(url), 401, 'token_missing');
  });
});

describe('SESSION_LIMIT', () => {
  it('ends the oldest session of a user, and no other', async () => {
    const gateway = await hostGateway({ ...base, SESSION_LIMIT: '2' });
    await be('other');
    const other = await login(gateway.url);
    await be('limited');
    const [a, b] = [await login(gateway.url), await login(gateway.url)];
    const next = pairOf(await refresh(gateway.url, a.refresh));
    expect(await alive(gateway, a, b, other)).toEqual([true, true, true]);
    const c = await login(gateway.url);
    expect(await alive(gateway, next, b, c, other)).toEqual([false, true, true, true]);
    expect(verdictOf(await refresh(gateway.url, next.refresh))).toBe('400 refresh_token_invalid');
    expect(await sidsOf(gateway, c)).toEqual([sidOf(b), sidOf(c)]);
  });

  it('does not count sessions that have ended', async () => {
    const gateway = await hostGateway({ ...base, SESSION_LIMIT: '2' });
    await be('in-and-out');
    const kept = await login(gateway.url);
    for (let i = 0; i < 4; i++) {
      const { refresh: token } = await login(gateway.url);
      await postForm(`${gateway.url}/token/revoke`, { token });
    }
    const last = await login(gateway.url);
    expect(await alive(gateway, kept, last)).toEqual([true, true]);
  });

  it('holds for logins at the same time, and without the list', async () => {
    const gateway = await hostGateway({ ...base, SESSION_LIST: 'false', SESSION_LIMIT: '3' });
    await be('hurried');
    const pairs = await Promise.all(Array.from({ length: 12 }, () => login(gateway.url)));
    const good = (await alive(gateway, ...pairs)).filter(Boolean);
    expect(good).toHaveLength(3);
    const { access } = await login(gateway.url);
    expectError(await callWith(`${gateway.url}/sessions`, access), 404, 'not_found');
  });

  it('holds without refresh', async () => {
    const gateway = await hostGateway({ ...base, REFRESH_BACKEND_PATH: '', SESSION_LIMIT: '1' });
    await be('short');
    const [a, b] = [await login(gateway.url), await login(gateway.url)];
    expect(await alive(gateway, a, b)).toEqual([false, true]);
    expect(await sidsOf(gateway, b)).toEqual([sidOf(b)]);
  });

  it('is refused with tokens in which no session can be read', async () => {
    const full = { ...base, REFRESH_BACKEND_PATH: '', SIGNER_FULL: 'true', SESSION_LIMIT: '1' };
    const { lines } = await refuseInHost(full);
    expect(lines).toEqual([
      expect.stringContaining('SESSION_LIST needs compact tokens'),
      expect.stringContaining('SESSION_LIMIT needs compact tokens'),
    ]);
  });
});

describe('sessions', () => {
  it('are not listed, and not there, unless asked for', async () => {
    const gateway = await hostGateway({ ...base, SESSION_LIST: '' });
    await be('ann');
    const { access } = await login(gateway.url);
    for (const path of ['/sessions', '/sessions/x', '/admin/sessions?sub=ann'])
      expectError(await callWith(gateway.url + path, access), 404, 'not_found');
  });

  it('end by cookie for requests of the own origin only, and take the cookies with them', async () => {
    const gateway = await hostGateway({
      ...base,
      SESSION_COOKIES: 'true',
      VALIDATOR_COOKIE_KEY: '__Host-access_token',
    });
    await be('browser');
    const [mine, other] = [await login(gateway.url), await login(gateway.url)];
    const ask = (path: string, headers: object): Promise<Answer> =>
      call(gateway.url + path, {
        method: 'DELETE',
        headers: { cookie: `__Host-access_token=${mine.access}`, ...headers },
      });
    const evil = { origin: 'https://evil.example' };
    for (const path of ['/sessions', '/sessions?others=true', `/sessions/${String(sidOf(mine))}`])
      expectError(await ask(path, evil), 403, 'csrf_refused');
    const others = await ask('/sessions?others=true', { origin: gateway.url });
    expect([others.status, others.headers.getSetCookie()]).toEqual([204, []]);
    expect(await alive(gateway, mine, other)).toEqual([true, false]);
    const all = await ask('/sessions', { origin: gateway.url });
    expect([all.status, all.headers.getSetCookie().length]).toEqual([204, 2]);
  });

  it('are still there after a restart', async () => {
    const cwd = tempFolder('sessions');
    const before = await hostGateway(base, cwd);
    await be('stayer');
    const pair = await login(before.url);
    const gateway = await hostGateway(base, cwd);
    expect(await sidsOf(gateway, pair)).toEqual([sidOf(pair)]);
    // It asks the store, and does not wait for it.
    await expect
      .poll(() => statusOf(gateway))
      .toEqual({ listsSessions: true, sessions: { count: 1, more: false } });
    const without = await hostGateway({ ...base, SESSION_LIST: 'false' }, cwd);
    expect(await statusOf(without)).toEqual({ listsSessions: false });
  });
});

describe.skipIf(withoutRedis)('sessions in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  it('are listed and ended, and no key names their user', async () => {
    const gateway = await hostGateway({ ...base, STATE_STORE: redis.url });
    await be('redis-user');
    const [a, b] = [await login(gateway.url), await login(gateway.url)];
    expect(await sidsOf(gateway, a)).toEqual([sidOf(a), sidOf(b)]);
    expect(await statusOf(gateway)).toEqual({ listsSessions: true });
    const { createClient } = await import('redis');
    const client = await createClient({ url: redis.url }).connect();
    const keys = await client.keys('*');
    const ttls = await Promise.all(
      keys.filter((key) => key.includes('sessions:')).map((key) => client.ttl(key)),
    );
    client.destroy();
    expect(keys.filter((key) => key.includes('redis-user'))).toEqual([]);
    expect(ttls).toHaveLength(1);
    expect(ttls[0]).toBeGreaterThan(1_200_000);
    expect((await remove(`${gateway.url}/sessions?others=true`, a.access)).status).toBe(204);
    expect(await alive(gateway, a, b)).toEqual([true, false]);
  });

  it('and all else that is kept have keys that name no user, whatever is done', async () => {
    const user = 'alice+1@example.com';
    const gateway = await hostGateway({
      ...base,
      STATE_STORE: redis.url,
      SESSION_LIMIT: '3',
      REFRESH_RETRY_WINDOW: '10',
      THROTTLE_LIMIT: '50',
      CLIENTS_FILE: writeClients([
        { client_id: 'web', token_endpoint_auth_method: 'none', grant_types: ['password', 'refresh_token'] },
      ]),
    }); // prettier-ignore
    const names = new Set<string>();
    const look = async (): Promise<void> => {
      for (const name of (await redis.command('KEYS', '*')) as string[]) names.add(name);
    };
    const token = (form: Record<string, string>, headers = {}): Promise<Answer> =>
      postForm(`${gateway.url}/token`, { client_id: 'web', ...form }, headers);
    const logIn = async (headers = {}): Promise<Pair> => {
      const answer = await token({ grant_type: 'password', username: user }, headers);
      expect(verdictOf(answer)).toBe('200');
      await look();
      return pairOf(answer);
    };
    const goOn = (one: string): Promise<Answer> =>
      token({ grant_type: 'refresh_token', refresh_token: one });

    await be('admin', { roles: ['admin'] });
    await backend.answer('/token.json', {
      body: { access_token: { sub: 'admin', aud: AUDIENCE, roles: ['admin'] } },
    });
    const { access: admin } = await logIn();
    const asAdmin = (path: string, method: string, body?: object): Promise<Answer> =>
      call(gateway.url + path, {
        method,
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      });

    // The login service may put the name anywhere.
    await be(user, { sid: `session of ${user}` });
    const [a, b] = [await logIn(), await logIn()];
    await be(user, { jti: `token of ${user}` });
    const [c, d] = [await logIn(), await logIn()];
    const key = await createDpopClient();
    const proof = { ath: undefined, jti: `proof of ${user}` };
    const dpop = await key.prove('', `${gateway.url}/token`, 'POST', proof);
    const e = await logIn({ dpop });
    expect(part(e.access, 1).cnf).toEqual(key.cnf);
    await be(user);
    const next = await goOn(d.refresh);
    expect(verdictOf(next)).toBe('200');
    await look();
    await custom(gateway.url, pairOf(next).access);
    expect(verdictOf(await goOn(d.refresh))).toBe('400 refresh_token_reused');
    await look();
    expect((await callWith(`${gateway.url}/sessions`, c.access)).status).toBe(200);
    expect((await remove(`${gateway.url}/sessions?others=true`, c.access)).status).toBe(204);
    expect(await alive(gateway, a, b, c)).toEqual([false, false, true]);
    await look();
    for (const one of [c.access, b.access])
      await postForm(`${gateway.url}/token/revoke`, { token: one, client_id: 'web' });
    await look();
    for (const name of [{ sub: user }, { sid: `session of ${user}` }, { jti: `token of ${user}` }])
      expect((await asAdmin('/admin/revocations', 'POST', name)).status).toBe(201);
    expect((await asAdmin(`/admin/sessions?sub=${encodeURIComponent(user)}`, 'DELETE')).status).toBe(204); // prettier-ignore
    await look();
    // Guesses at a client that is called so, and so many requests that they are limited.
    const wrong = byBasic(user, 'wrong').headers ?? {};
    let limited = await token({}, wrong);
    while (limited.status !== 429) limited = await postForm(`${gateway.url}/token`, {}, wrong);
    await look();

    const all = [...names].join('\n');
    for (const kind of ['used:', 'replay:', 'sessions:', 'named:', 'entries'])
      expect(all).toContain(kind);
    expect(all.toLowerCase()).not.toContain('alice');
    expect(all).not.toContain(Buffer.from('alice').toString('base64url').slice(0, 6));
    expect(all).not.toContain(Buffer.from('alice').toString('hex'));
  });
});
