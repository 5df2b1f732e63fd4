import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JWK } from 'jose';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, hs256, part, writeKeys } from './helpers/issuers/keys.js';
import {
  custom,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
} from './helpers/sessions/sessions.js';

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER };
let backend: Backend;
let gateway: Gateway;
let key: JWK;
let admin: string;

beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/token.json', {
    body: { access_token: { ...CLAIMS, roles: ['role_a'] }, refresh_token: CLAIMS },
  });
  await backend.answer('/refresh.json', {
    body: { access_token: { ...CLAIMS, roles: ['role_a'] }, refresh_token: CLAIMS },
  });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  key = await generateJwk('HS256', 'sim2');
  gateway = await startGateway({
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: writeKeys([key, await generateJwk('HS256', 'other')]),
    SIGNER_KID: 'sim2',
    REFRESH_BACKEND_PATH: '/refresh.json',
    ADMIN_ROLES: 'ops,admin',
  });
  admin = await tokenOf(key, { sub: 'root', roles: ['ops'], jti: 'admin-1' });
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

const revoke = (token: string): Promise<Answer> =>
  postForm(`${gateway.url}/token/revoke`, { token });
const withAdmin = (path: string, init: RequestInit = {}): Promise<Answer> =>
  call(`${gateway.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
  });
const create = (body: unknown): Promise<Answer> =>
  withAdmin('/admin/revocations', { method: 'POST', body: JSON.stringify(body) });

describe('POST /token/revoke (RFC 7009)', () => {
  it('ends one access token, and leaves its session alone', async () => {
    const pair = await login(gateway.url);
    const answer = await revoke(pair.access);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await custom(gateway.url, pair.access)).toBe('401 token_revoked');
    const next = await refresh(gateway.url, pair.refresh);
    expect(part(pairOf(next).access, 1).sid).toBe(part(pair.access, 1).sid);
    expect(await custom(gateway.url, pairOf(next).access)).toBe('200');
  });

  it('ends a whole session with its refresh token, even one that was used already', async () => {
    const first = await login(gateway.url);
    const second = pairOf(await refresh(gateway.url, first.refresh));
    expect((await revoke(first.refresh)).status).toBe(200);
    for (const token of [first.access, second.access])
      expect(await custom(gateway.url, token)).toBe('401 token_revoked');
    expect(verdictOf(await refresh(gateway.url, second.refresh))).toBe('400 refresh_token_invalid');
  });

  it('ends every token that was signed here, whatever its type, audience, issuer and key', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const header = { alg: 'HS256', kid: 'sim2' };
    const listed = async (): Promise<unknown[]> =>
      (
        (await withAdmin('/admin/revocations?limit=1000')).json as {
          revocations: { jti?: string }[];
        }
      ).revocations.map(({ jti }) => jti);
    for (const [typ, claims] of [
      ['api-key+jwt', { sub: 'key', aud: 'https://elsewhere', jti: 'k1', exp }],
      ['receipt+jwt', { iss: 'https://shop', order: 7, exp }],
      ['application/JWT', { iss: ISSUER, exp }],
      [undefined, { exp }],
    ] as const) {
      const token = hs256(String(key.k), { ...header, typ }, { iss: ISSUER, ...claims });
      const before = await listed();
      expect((await revoke(token)).status).toBe(200);
      const digest = createHash('sha256').update(token.slice(0, token.lastIndexOf('.')));
      expect((await listed()).filter((jti) => !before.includes(jti))).toEqual([
        `sha256:${digest.digest('base64url')}`,
      ]);
    }
  });

  it('makes a token refused, also where it would not have been enough', async () => {
    const poor = await tokenOf(key, { roles: ['none'], jti: randomUUID() });
    expect(await custom(gateway.url, poor)).toBe('403 roles_missing');
    await revoke(poor);
    expect(await custom(gateway.url, poor)).toBe('401 token_revoked');
  });

  it('takes JSON, and a hint', async () => {
    const { access } = await login(gateway.url);
    const answer = await call(`${gateway.url}/token/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: access, token_type_hint: 'access_token' }),
    });
    expect(answer.status).toBe(200);
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('ends a token without jti by what was signed', async () => {
    const claims = { ...CLAIMS, roles: ['role_a'], exp: Math.floor(Date.now() / 1000) + 60 };
    const [one, other] = [claims, { ...claims, n: 1 }].map((set) =>
      hs256(String(key.k), { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, set),
    ) as [string, string];
    expect(await custom(gateway.url, one)).toBe('200');
    await revoke(one);
    expect(await custom(gateway.url, one)).toBe('401 token_revoked');
    expect(await custom(gateway.url, other)).toBe('200');
  });

  it.each([
    ['garbage', () => 'garbage'],
    ['a forged token', () => hs256('AAAA', { alg: 'HS256', kid: 'sim2' }, { jti: 'admin-1' })],
    ['an expired token', () => hs256(String(key.k), { alg: 'HS256', kid: 'sim2' }, { exp: 1 })],
  ])('answers 200 to %s and does nothing', async (_what, token) => {
    const before = (await withAdmin('/admin/revocations?limit=1000')).text;
    expect((await revoke(token())).status).toBe(200);
    expect((await withAdmin('/admin/revocations?limit=1000')).text).toBe(before);
  });

  it.each([
    ['no body', {}, 400, 'body_malformed'],
    ['no token', { body: new URLSearchParams({ tokens: 'x' }) }, 400, 'body_malformed'],
    [
      'two tokens',
      { body: 'token=a&token=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      400,
      'parameter_repeated',
    ],
    [
      'text',
      { body: 'token=a', headers: { 'content-type': 'text/plain' } },
      415,
      'media_type_unsupported',
    ],
  ])('refuses %s', async (_what, init, status, code) => {
    expectError(
      await call(`${gateway.url}/token/revoke`, { method: 'POST', ...init }),
      status,
      code,
      'invalid_request',
    );
  });

  it('is a POST only', async () => {
    const answer = await call(`${gateway.url}/token/revoke?token=x`);
    expectError(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('POST');
  });
});

describe('/admin/revocations', () => {
  it.each(['ops', 'admin'])('is open to the role %s', async (role) => {
    const token = await tokenOf(key, { roles: [role] });
    expect((await callWith(`${gateway.url}/admin/revocations`, token)).status).toBe(200);
  });

  it('is closed to everybody else', async () => {
    for (const path of ['/admin/revocations', '/token/introspect']) {
      const method = path.startsWith('/admin') ? 'GET' : 'POST';
      expectError(await call(gateway.url + path, { method }), 401, 'token_missing');
      const { access } = await login(gateway.url);
      const headers = { authorization: `Bearer ${access}` };
      expectError(await call(gateway.url + path, { method, headers }), 403, 'roles_missing');
    }
  });

  it('revokes by jti, sub, sid and kid, lists and undoes', async () => {
    const claims = { roles: ['role_a'], jti: randomUUID(), sub: randomUUID(), sid: randomUUID() };
    const token = await tokenOf({ ...key }, claims);
    for (const name of ['jti', 'sub', 'sid'] as const) {
      expect(await custom(gateway.url, token)).toBe('200');
      const answer = await create({ [name]: claims[name], reason: 'test' });
      expect(answer.status).toBe(201);
      expect(answer.json).toMatchObject({ [name]: claims[name], reason: 'test' });
      expect(await custom(gateway.url, token)).toBe('401 token_revoked');
      const { revocations } = (await withAdmin('/admin/revocations?limit=1000')).json as {
        revocations: Record<string, unknown>[];
      };
      expect(revocations.find(({ id }) => id === answer.json.id)).toEqual(answer.json);
      const undo = await withAdmin(`/admin/revocations/${String(answer.json.id)}`, {
        method: 'DELETE',
      });
      expect(undo.status).toBe(204);
    }
    expect(await custom(gateway.url, token)).toBe('200');
  });

  it('revokes all tokens of a key until that is undone', async () => {
    const token = await tokenOf({ ...key, kid: 'sim2' }, { roles: ['role_a'] });
    const { json } = await create({ kid: 'other' });
    expect(json.expires_at).toBeUndefined();
    expect(await custom(gateway.url, token)).toBe('200');
    await withAdmin(`/admin/revocations/${String(json.id)}`, { method: 'DELETE' });
  });

  it('revokes a user’s tokens up to now, and not those of the next login', async () => {
    const sub = randomUUID();
    const now = Math.floor(Date.now() / 1000);
    const old = await tokenOf(key, { sub, roles: ['role_a'] });
    await create({ sub });
    expect(await custom(gateway.url, old)).toBe('401 token_revoked');
    const later = hs256(String(key.k), { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, {
      ...CLAIMS, sub, roles: ['role_a'], iat: now + 2, exp: now + 60,
    }); // prettier-ignore
    await expect.poll(() => custom(gateway.url, later)).toBe('200');
  });

  it('revokes what a clock that is ahead has issued, as far as the leeway goes', async () => {
    const hosted = await hostGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: writeKeys([key]),
      ADMIN_ROLES: 'ops',
      VALIDATOR_LEEWAY: '60',
    });
    const now = Math.floor(Date.now() / 1000);
    const issued = (iat: number): string =>
      hs256(String(key.k), { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, {
        ...CLAIMS, sub: 'ahead', roles: ['role_a'], iat, exp: now + 600,
      }); // prettier-ignore
    expect(await custom(hosted.url, issued(now + 59))).toBe('200');
    const revoking = await call(`${hosted.url}/admin/revocations`, {
      method: 'POST',
      body: JSON.stringify({ sub: 'ahead' }),
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    });
    expect(revoking.status).toBe(201);
    for (const iat of [now - 60, now, now + 59, now + 60])
      expect(await custom(hosted.url, issued(iat))).toBe('401 token_revoked');
    await hosted.advanceClock(70);
    expect(await custom(hosted.url, issued(now + 65))).toBe('200');
    await hosted.stop();
  });

  it('revokes what was issued before a time', async () => {
    const sub = randomUUID();
    const now = Math.floor(Date.now() / 1000);
    const issued = (iat: number | undefined): string =>
      hs256(String(key.k), { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, {
        ...CLAIMS, sub, roles: ['role_a'], iat, exp: now + 600,
      }); // prettier-ignore
    await create({ sub, before: now - 100 });
    expect(await custom(gateway.url, issued(now - 101))).toBe('401 token_revoked');
    expect(await custom(gateway.url, issued(now - 100))).toBe('200');
    // When it was issued is unknown, so it is meant.
    expect(await custom(gateway.url, issued(undefined))).toBe('401 token_revoked');
  });

  it('revokes subjects made of digits, exactly', async () => {
    const now = Math.floor(Date.now() / 1000);
    const of = (sub: string): string =>
      hs256(
        String(key.k),
        { alg: 'HS256', kid: 'sim2', typ: 'JWT' },
        `{"sub":"${sub}","aud":"${AUDIENCE}","iss":"${ISSUER}","roles":["role_a"],"iat":${now},"exp":${now + 60}}`,
      );
    await create({ sub: '9007199254740993' });
    expect(await custom(gateway.url, of('9007199254740993'))).toBe('401 token_revoked');
    expect(await custom(gateway.url, of('9007199254740992'))).toBe('200');
    await create({ sub: 42 });
    expect(await custom(gateway.url, of('42'))).toBe('401 token_revoked');
    expect(await custom(gateway.url, of('43'))).toBe('200');
  });

  it.each([
    ['nothing', {}],
    ['two names', { jti: 'a', sub: 'b' }],
    ['an empty name', { jti: '' }],
    ['a list', { jti: ['a'] }],
    ['an unknown member', { jti: 'a', befor: 1 }],
    ['a time that is none', { jti: 'a', before: 'yesterday' }],
    ['a time that is negative', { jti: 'a', before: -1 }],
    ['a reason that is too long', { jti: 'a', reason: 'x'.repeat(501) }],
    ['a name that is too long', { jti: 'x'.repeat(2000) }],
    ['a list of revocations', [{ jti: 'a' }]],
  ])('refuses %s', async (_what, body) => {
    expectError(await create(body), 400, 'body_malformed', 'invalid_request');
  });

  it('pages through the list', async () => {
    for (let i = 0; i < 5; i++) await create({ jti: `page-${i}` });
    const seen: unknown[] = [];
    let after = '';
    do {
      const { json } = await withAdmin(`/admin/revocations?limit=2${after}`);
      seen.push(...(json.revocations as { jti?: string }[]).map(({ jti }) => jti));
      after = typeof json.next === 'string' ? `&after=${json.next}` : '';
    } while (after !== '');
    for (let i = 0; i < 5; i++) expect(seen.filter((jti) => jti === `page-${i}`)).toHaveLength(1);
  });

  it.each(['limit=0', 'limit=x', 'limit=1001', 'after=', 'page=2'])(
    'refuses the page %s',
    async (query) => {
      expectError(await withAdmin(`/admin/revocations?${query}`), 400, 'body_malformed');
    },
  );

  it('knows nothing to undo', async () => {
    const undo = (id: string): Promise<Answer> =>
      withAdmin(`/admin/revocations/${id}`, { method: 'DELETE' });
    expectError(await undo(randomUUID()), 404, 'not_found');
    expect((await undo('1')).status).toBe(400);
  });
});

describe('POST /logout', () => {
  it('ends the session of the token everywhere', async () => {
    const first = await login(gateway.url);
    const second = pairOf(await refresh(gateway.url, first.refresh));
    const answer = await call(`${gateway.url}/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${second.access}` },
    });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers.get('set-cookie')).toBeNull();
    for (const token of [first.access, second.access])
      expect(await custom(gateway.url, token)).toBe('401 token_revoked');
    expect(verdictOf(await refresh(gateway.url, second.refresh))).toBe('400 refresh_token_invalid');
    expect(part(second.access, 1).sid).toBe(part(first.access, 1).sid);
  });

  it('needs a token', async () => {
    const logout = (headers: Record<string, string>): Promise<Answer> =>
      call(`${gateway.url}/logout`, { method: 'POST', headers });
    const missing = await logout({});
    expectError(missing, 401, 'token_missing');
    expect(missing.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="signet", (resource_metadata="[^"]+"), DPoP algs="[\w -]+", \1$/,
    );
    expectError(await logout({ authorization: 'Bearer x.y.z' }), 401, 'token_malformed');
  });
});

describe('while refresh is off', () => {
  const start = (): Promise<HostedGateway> =>
    hostGateway({ BACKEND_HOST: backend.url, SIGNER_JWK_LOCAL_PATH: writeKeys([key]) });
  const end = (url: string, token: string): Promise<Answer> =>
    postForm(`${url}/token/revoke`, { token });

  it('a refresh token takes the access token of its answer with it, and no other', async () => {
    const { url } = await start();
    const [one, other] = [await login(url), await login(url)];
    expect(part(one.access, 1).sid).toBeUndefined();
    await end(url, one.refresh);
    expect(await custom(url, one.access)).toBe('401 token_revoked');
    expect(await custom(url, other.access)).toBe('200');
    // The reverse ends one token.
    await end(url, other.access);
    expect(await custom(url, other.access)).toBe('401 token_revoked');
  });

  it('also where the login service chooses each jti, or the sid', async () => {
    const { url } = await start();
    const body = (name: string, ids: readonly [object, object]): object => ({
      access_token: { ...CLAIMS, sub: name, roles: ['role_a'], ...ids[0] },
      refresh_token: { ...CLAIMS, sub: name, ...ids[1] },
    });
    for (const [name, ids] of [
      ['jti', [{ jti: 'a' }, { jti: 'b' }]],
      ['one jti', [{ jti: 'c' }, { jti: 'c' }]],
      ['half a jti', [{ jti: 'd' }, {}]],
      [
        'sid',
        [
          { sid: 's', jti: 'e' },
          { sid: 's', jti: 'f' },
        ],
      ],
    ] as const) {
      await backend.answer('/token.json', { body: body(name, ids) });
      const mine = await login(url);
      await backend.answer('/token.json', { body: body(`not ${name}`, [{}, {}]) });
      const foreign = await login(url);
      await end(url, mine.refresh);
      expect(`${name}: ${await custom(url, mine.access)}`).toBe(`${name}: 401 token_revoked`);
      expect(await custom(url, foreign.access)).toBe('200');
    }
    await backend.answer('/token.json', {
      body: { access_token: { ...CLAIMS, roles: ['role_a'] }, refresh_token: CLAIMS },
    });
  });
});

describe('without ADMIN_ROLES', () => {
  it('there are no admin routes, and the metadata names none', async () => {
    const plain = await hostGateway({ BACKEND_HOST: backend.url });
    const token = await login(plain.url);
    for (const [method, path] of [
      ['GET', '/admin/revocations'],
      ['POST', '/admin/revocations'],
      ['POST', '/token/introspect'],
    ] as const) {
      const headers = { authorization: `Bearer ${token.access}` };
      expectError(await call(plain.url + path, { method, headers }), 404, 'not_found');
    }
    const { json } = await call(`${plain.url}/.well-known/oauth-authorization-server`);
    expect(json).toMatchObject({
      issuer: ISSUER,
      token_endpoint: `http://localhost:${new URL(plain.url).port}/token`,
      grant_types_supported: ['password', 'client_credentials'],
    });
    expect(json.introspection_endpoint).toBeUndefined();
    await plain.stop();
  });
});

describe('tokens in the form of SIGNER_FULL', () => {
  const textOf = (token: string): string => {
    const [header, payload, signature] = token.split('.');
    return JSON.stringify({ payload, protected: header, signature });
  };

  it('open routes, are told of and are taken back, in both forms at once', async () => {
    const own = await hostGateway({
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: writeKeys([key]),
      SIGNER_FULL: 'true',
      ADMIN_ROLES: 'role_a',
    });
    const { access: full } = await login(own.url);
    const { payload, protected: header, signature } = JSON.parse(full) as Record<string, string>;
    const compact = `${header}.${payload}.${signature}`;
    expect(textOf(compact)).toBe(full);
    for (const token of [full, compact]) expect(await custom(own.url, token)).toBe('200');
    expect(await custom(own.url, full.replace(',', ', '))).toBe('401 token_malformed');
    const authorization = `Bearer ${full}`;
    const told = await postForm(`${own.url}/token/introspect`, { token: full }, { authorization });
    expect(told.json).toMatchObject({ active: true, token_use: 'access', sub: 'u1' });
    const revoked = await postForm(`${own.url}/token/revoke`, { token: full });
    expect(revoked.status).toBe(200);
    for (const token of [full, compact])
      expect(await custom(own.url, token)).toBe('401 token_revoked');
    await own.stop();
  });

  it('open nothing where tokens are made in the compact form', async () => {
    const { access } = await login(gateway.url);
    expect(await custom(gateway.url, access)).toBe('200');
    expect(await custom(gateway.url, textOf(access))).toBe('401 token_malformed');
  });
});
