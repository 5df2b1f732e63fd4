import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { hostGateway, refuseInHost, type HostedGateway } from './helpers/gateway/host.js';
import { call, expectError } from './helpers/network/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { describeRetries } from './helpers/sessions/refresh-scenarios.js';
import {
  custom,
  expectRace,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
  type Pair,
} from './helpers/sessions/sessions.js';

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER };
const ANSWER = {
  access_token: { ...CLAIMS, roles: ['role_a'] },
  refresh_token: { ...CLAIMS, client_id: 'shop', big: 1 },
};
const REFRESH = { REFRESH_BACKEND_PATH: '/refresh.json' };

let backend: Backend;
let keys: string;
beforeAll(async () => {
  backend = await startBackend();
  keys = writeKeys([await generateJwk('HS256', 'sim2')]);
  await backend.answer('/token.json', { body: ANSWER });
  await backend.answer('/user/1.json', { body: { id: 1 } });
});
afterAll(() => backend.stop());

const start = (env: Record<string, string> = {}): Promise<HostedGateway> =>
  hostGateway({ BACKEND_HOST: backend.url, SIGNER_JWK_LOCAL_PATH: keys, ...REFRESH, ...env });
const answers = (rule: { status?: number; body: unknown }): Promise<void> =>
  backend.answer('/refresh.json', rule);

describe('the refresh token grant', () => {
  let gateway: HostedGateway;
  beforeAll(async () => {
    gateway = await start();
    await answers({ body: ANSWER });
  });

  it('gives new tokens of the same session, from claims the backend decides again', async () => {
    const first = await login(gateway.url);
    const [access, old] = [part(first.access, 1), part(first.refresh, 1)];
    expect(access.sid).toEqual(expect.any(String));
    expect(old.sid).toBe(access.sid);
    await answers({ body: { ...ANSWER, access_token: { ...ANSWER.access_token, plan: 'gold' } } });
    const answer = await refresh(gateway.url, first.refresh);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const second = pairOf(answer);
    expect(part(second.access, 1)).toMatchObject({ sid: access.sid, plan: 'gold' });
    expect(part(second.refresh, 1)).toMatchObject({ sid: access.sid, auth_time: old.auth_time });
    expect(part(second.refresh, 1).jti).not.toBe(old.jti);
    expect(await custom(gateway.url, second.access)).toBe('200');

    const asked = backend.seen.findLast(({ url }) => url === '/refresh.json');
    expect(asked?.method).toBe('POST');
    expect(asked?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(asked?.body.toString() ?? '')).toEqual({
      sub: 'u1',
      sid: access.sid,
      claims: old,
      request: {},
    });
    // No service that checks aud takes it for an access token.
    expect([old.aud, access.aud]).toEqual([ISSUER, AUDIENCE]);
    await answers({ body: ANSWER });
  });

  it('takes JSON as well as a form', async () => {
    const { refresh: token } = await login(gateway.url);
    const answer = await fetch(`${gateway.url}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: token }),
    });
    expect(answer.status).toBe(200);
  });

  it('ends the session when a token is used twice', async () => {
    const first = await login(gateway.url);
    const second = pairOf(await refresh(gateway.url, first.refresh));
    expect(await custom(gateway.url, second.access)).toBe('200');
    expectError(
      await refresh(gateway.url, first.refresh),
      400,
      'refresh_token_reused',
      'invalid_grant',
    );
    expect(await custom(gateway.url, second.access)).toBe('401 token_revoked');
    expect(await custom(gateway.url, first.access)).toBe('401 token_revoked');
    expect(verdictOf(await refresh(gateway.url, second.refresh))).toBe('400 refresh_token_invalid');
    // Another session of the same user goes on.
    expect(verdictOf(await refresh(gateway.url, (await login(gateway.url)).refresh))).toBe('200');
  });

  it('refuses what is no refresh token of this gateway', async () => {
    const { access, refresh: token } = await login(gateway.url);
    const [header, payload] = token.split('.');
    for (const bad of [access, 'a.b.c', `${header}.${payload}.AAAA`, `${token}=`]) {
      const answer = await refresh(gateway.url, bad);
      expectError(answer, 400, 'refresh_token_invalid', 'invalid_grant');
      expect(answer.text).not.toContain(bad);
    }
    // And the reverse: it opens no route.
    expect(await custom(gateway.url, token)).toBe('401 type_not_allowed');
    // An empty parameter is an absent one (RFC 6749 section 3.2).
    const grant = { grant_type: 'refresh_token' };
    for (const form of [grant, { ...grant, refresh_token: '' }] as Record<string, string>[]) {
      const missing = await postForm(`${gateway.url}/token`, form);
      expectError(missing, 400, 'body_malformed', 'invalid_request');
    }
  });

  it('binds the token to its client, where both sides name one', async () => {
    const { refresh: token } = await login(gateway.url);
    const use = (client_id: string): Promise<string> =>
      postForm(`${gateway.url}/token`, {
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id,
      }).then(verdictOf);
    expect(await use('somebody')).toBe('400 refresh_token_invalid');
    expect(await use('shop')).toBe('200');
  });

  it.each([
    ['is down for it', { status: 503, body: {} }, '502 backend_bad_response'],
    ['answers nonsense', { body: '<html>' }, '502 backend_bad_response'],
    ['answers nothing to sign', { body: { ok: true } }, '502 sign_target_missing'],
    ['names another session', { body: { access_token: { sid: 'x' } } }, '502 sign_target_invalid'],
    ['is asked too often', { status: 429, body: {} }, '429'],
  ])('consumes nothing when the backend %s', async (_what, rule, expected) => {
    const { refresh: token } = await login(gateway.url);
    await answers(rule);
    expect(verdictOf(await refresh(gateway.url, token))).toBe(expected);
    await answers({ body: ANSWER });
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
  });

  it.each([400, 401, 403, 404, 410])('is refused when the backend refuses (%i)', async (status) => {
    const { refresh: token } = await login(gateway.url);
    await answers({ status, body: { error: 'user_locked' } });
    expectError(await refresh(gateway.url, token), 400, 'refresh_token_invalid', 'invalid_grant');
    await answers({ body: ANSWER });
    // Not consumed: the user may be unlocked.
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
  });

  it('keeps numbers exact on the way to the backend', async () => {
    const body = `{"access_token":{"sub":"u1","aud":"${AUDIENCE}"},"refresh_token":{"sub":"u1","account":9007199254740993,"aud":"${AUDIENCE}"}}`;
    await backend.answer('/token.json', { body });
    const { refresh: token } = await login(gateway.url);
    await backend.answer('/token.json', { body: ANSWER });
    await refresh(gateway.url, token);
    const asked = backend.seen.findLast(({ url }) => url === '/refresh.json');
    expect(asked?.body.toString()).toContain('"account":9007199254740993');
  });
});

describe('a session of the backend’s own', () => {
  it('keeps the sid that the backend sends', async () => {
    const gateway = await start();
    await answers({ body: ANSWER });
    const access_token = { ...ANSWER.access_token, sid: 'backend-1' };
    await backend.answer('/token.json', { body: { ...ANSWER, access_token } });
    const pair = await login(gateway.url);
    await backend.answer('/token.json', { body: ANSWER });
    expect([part(pair.access, 1).sid, part(pair.refresh, 1).sid]).toEqual([
      'backend-1',
      'backend-1',
    ]);
    expect(verdictOf(await refresh(gateway.url, pair.refresh))).toBe('200');
  });

  it('ends with its absolute lifetime, however often it is refreshed', async () => {
    const gateway = await start({ REFRESH_ABSOLUTE_TTL: '600', ADMIN_ROLES: 'role_a' });
    const isActive = async (token: string): Promise<unknown> => {
      const { access } = await login(gateway.url);
      const headers = { authorization: `Bearer ${access}` };
      return (await postForm(`${gateway.url}/token/introspect`, { token }, headers)).json.active;
    };
    let { refresh: token } = await login(gateway.url);
    const began = Number(part(token, 1).auth_time);
    for (let round = 0; round < 3; round++) {
      await gateway.advanceClock(199);
      const answer = await refresh(gateway.url, token);
      expect(verdictOf(answer)).toBe('200');
      token = pairOf(answer).refresh;
      expect(Number(part(token, 1).auth_time)).toBe(began);
    }
    expect(await isActive(token)).toBe(true);
    await gateway.advanceClock(4);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
    expect(await isActive(token)).toBe(false);
  });

  it('ends unused with the refresh token itself', async () => {
    const gateway = await start({ SIGNER_REFRESH_TTL: '60' });
    const { refresh: token } = await login(gateway.url);
    await gateway.advanceClock(62);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
  });
});

describe('the retry window', () => {
  describe('of one node, in memory (more: slow/refresh-retries.e2e-spec.ts)', () => {
    let gateway: HostedGateway;
    beforeAll(async () => {
      gateway = await start({ STATE_STORE: 'memory:', ADMIN_ROLES: 'ops' });
    });
    describeRetries(() => ({
      urls: [gateway.url, gateway.url],
      windowOver: () => gateway.advanceClock(11),
      delayRefresh: (delayMs) => backend.answer('/refresh.json', { body: ANSWER, delayMs }),
      asked: () => backend.seen.filter(({ url }) => url === '/refresh.json').length,
    }));
  });

  it('gives repetitions the same answer, also narrower ones, until it is over', async () => {
    // Other stores look at a clock that is not the gateway's.
    const gateway = await start({ REFRESH_RETRY_WINDOW: '2', STATE_STORE: 'memory:' });
    const { refresh: token } = await login(gateway.url);
    const parallel = await Promise.all(
      Array.from({ length: 20 }, () => refresh(gateway.url, token)),
    );
    expect(new Set(parallel.map(({ text }) => text)).size).toBe(1);
    await gateway.advanceClock(1);
    expect((await refresh(gateway.url, token)).text).toBe(parallel[0]?.text);
    await gateway.advanceClock(2);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_reused');
    const { access } = pairOf(parallel[0] as (typeof parallel)[0]);
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('is none where the use of a successor would not be noticed, by an iat of the login service', async () => {
    const gateway = await start();
    const { refresh: token } = await login(gateway.url);
    const access_token = { ...ANSWER.access_token, iat: Math.floor(Date.now() / 1000) - 60 };
    await answers({ body: { ...ANSWER, access_token } });
    expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    await answers({ body: ANSWER });
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_reused');
  });
});

describe('what a refresh asks for', () => {
  let gateway: HostedGateway;
  const scoped = { ...ANSWER, access_token: { ...ANSWER.access_token, scope: 'read write' } };
  beforeAll(async () => {
    gateway = await start();
    await backend.answer('/token.json', { body: scoped });
    await answers({ body: scoped });
  });
  afterAll(() => backend.answer('/token.json', { body: ANSWER }));

  const asked = (): Record<string, unknown> => {
    const seen = backend.seen.findLast(({ url }) => url === '/refresh.json');
    return JSON.parse(seen?.body.toString() ?? '{}') as Record<string, unknown>;
  };
  const ask = async (form: string, token?: string): Promise<Awaited<ReturnType<typeof refresh>>> =>
    call(`${gateway.url}/token`, {
      method: 'POST',
      body: `grant_type=refresh_token&refresh_token=${token ?? (await login(gateway.url)).refresh}&${form}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  it('is a part of the granted scope, and told where the answer differs (RFC 6749 sections 5.1, 6)', async () => {
    const access_token = { ...ANSWER.access_token, scope: 'read' };
    await answers({ body: { ...ANSWER, access_token } });
    const narrowed = await ask('scope=read');
    expect([narrowed.status, narrowed.json.scope]).toEqual([200, undefined]);
    expect(asked().request).toEqual({ scope: 'read' });
    // The successor keeps what was granted.
    expect(part(pairOf(narrowed).refresh, 1).scope).toBe('read write');
    const whole = await ask('scope=write+read', pairOf(narrowed).refresh);
    expect([whole.status, whole.json.scope]).toEqual([200, 'read']);
    expect((await ask('')).json.scope).toBe('read');
    await answers({ body: scoped });
    expect((await ask('scope=read')).json.scope).toBe('read write');
    expect((await ask('scope=write+read')).json.scope).toBeUndefined();
    expect((await ask('scope=')).json.scope).toBeUndefined();
    expect(asked().request).toEqual({});
  });

  it.each(['read+admin', 'admin', 'Read', 'read++write', 'read%09write'])(
    'is refused where it is more: scope=%s',
    async (scope) => {
      const { refresh: token } = await login(gateway.url);
      const answer = await ask(`scope=${scope}`, token);
      expectError(answer, 400, 'scope_not_granted', 'invalid_scope');
      expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    },
  );

  it('is what the answer of the login says, where its claims do not', async () => {
    await backend.answer('/token.json', { body: { ...ANSWER, scope: 'read' } });
    expect(verdictOf(await ask('scope=read'))).toBe('200');
    expectError(await ask('scope=write'), 400, 'scope_not_granted', 'invalid_scope');
    await backend.answer('/token.json', { body: ANSWER });
    expectError(await ask('scope=read'), 400, 'scope_not_granted', 'invalid_scope');
    await backend.answer('/token.json', { body: scoped });
  });

  it('reaches the backend, several resources as well, and no secret does (RFC 8707)', async () => {
    const form =
      'resource=https://a&resource=urn:b&audience=c&client_id=shop&client_secret=s3cret&password=s3cret&x=1&y=';
    expect(verdictOf(await ask(form))).toBe('200');
    expect(asked().request).toEqual({
      resource: ['https://a', 'urn:b'],
      audience: 'c',
      client_id: 'shop',
      x: '1',
    });
    const { refresh: token } = await login(gateway.url);
    const json = await call(`${gateway.url}/token`, {
      method: 'POST',
      body: JSON.stringify({
        grant_type: 'refresh_token',
        refresh_token: token,
        resource: ['https://a', ''],
        audience: ['c', 'd'],
        scope: null,
        deep: { a: 1 },
      }),
      headers: { 'content-type': 'application/json' },
    });
    expect(json.status).toBe(200);
    expect(asked().request).toEqual({ resource: 'https://a', audience: ['c', 'd'] });
  });

  it.each([
    ['resource=a', 'target_unknown', 'invalid_target'],
    ['resource=https://a%23b', 'target_unknown', 'invalid_target'],
    ['resource=https://a&resource=/b', 'target_unknown', 'invalid_target'],
    ['scope=read&scope=write', 'parameter_repeated', 'invalid_request'],
  ])('is refused: %s', async (form, code, error) => {
    expectError(await ask(form), 400, code, error);
  });

  it('is refused in JSON where it is no text', async () => {
    const { refresh: token } = await login(gateway.url);
    for (const wrong of [{ scope: ['read'] }, { scope: 7 }, { resource: [7] }, { audience: {} }])
      expectError(
        await call(`${gateway.url}/token`, {
          method: 'POST',
          body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: token, ...wrong }),
          headers: { 'content-type': 'application/json' },
        }),
        400,
        'body_malformed',
        'invalid_request',
      );
  });

  it.each(['invalid_scope', 'invalid_target', 'invalid_client'])(
    'may be refused by the backend: %s reaches the client, and nothing is consumed',
    async (error) => {
      const { refresh: token } = await login(gateway.url);
      await answers({ status: 400, body: { error } });
      expect((await refresh(gateway.url, token)).json).toEqual({ error });
      await answers({ body: scoped });
      expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    },
  );
});

describe('claims of a login service that is careless', () => {
  /** Texts, since not every number is one for JavaScript. */
  const body = (claims: string): string =>
    `{"access_token":{"aud":"${AUDIENCE}","roles":["role_a"],${claims}},"refresh_token":{${claims}}}`;
  const both = async (claims: string): Promise<void> => {
    await backend.answer('/token.json', { body: body(claims) });
    await backend.answer('/refresh.json', { body: body(claims) });
  };
  afterAll(async () => {
    await backend.answer('/token.json', { body: ANSWER });
    await answers({ body: ANSWER });
  });

  it.each(['2095789953.123456789', '9007199254740993', '9223372036854775807', '1e+300'])(
    'an exp of %s works in refresh, introspection, revocation and logout',
    async (exp) => {
      const gateway = await start({ ADMIN_ROLES: 'role_a' });
      await both(`"sub":"u1","exp":${exp}`);
      const first = await login(gateway.url);
      const second = pairOf(await refresh(gateway.url, first.refresh));
      const authorization = `Bearer ${second.access}`;
      for (const token of [second.access, second.refresh]) {
        const url = `${gateway.url}/token/introspect`;
        const { text } = await postForm(url, { token }, { authorization });
        expect(text).toContain('"active":true');
        expect(text).toContain(`"exp":${exp}`);
      }
      expect(verdictOf(await refresh(gateway.url, first.refresh))).toBe('400 refresh_token_reused');
      expect(await custom(gateway.url, second.access)).toBe('401 token_revoked');
      const [revoked, out] = [await login(gateway.url), await login(gateway.url)];
      const revoke = await postForm(`${gateway.url}/token/revoke`, { token: revoked.access });
      expect(verdictOf(revoke)).toBe('200');
      const headers = { authorization: `Bearer ${out.access}` };
      expect(verdictOf(await postForm(`${gateway.url}/logout`, {}, headers))).toBe('204');
      for (const { access } of [revoked, out])
        expect(await custom(gateway.url, access)).toBe('401 token_revoked');
      expect(verdictOf(await refresh(gateway.url, out.refresh))).toBe('400 refresh_token_invalid');
      expect(verdictOf(await refresh(gateway.url, revoked.refresh))).toBe('200');
    },
  );

  it('one jti for everybody locks nobody out, and is warned of once', async () => {
    const gateway = await start({ REFRESH_RETRY_WINDOW: '0' });
    const users = [];
    for (const sub of ['a', 'b', 'c']) {
      await both(`"sub":"${sub}","jti":"the-only-one"`);
      users.push({ sub, pair: await login(gateway.url) });
    }
    const [a, b, c] = users.map(({ pair }) => pair) as [Pair, Pair, Pair];
    await postForm(`${gateway.url}/token/revoke`, { token: a.access });
    expect(await custom(gateway.url, a.access)).toBe('401 token_revoked');
    expect(await custom(gateway.url, b.access)).toBe('200');
    for (const { refresh: token } of [a, b, c])
      expect(verdictOf(await refresh(gateway.url, token))).toBe('200');
    expect(verdictOf(await refresh(gateway.url, b.refresh))).toBe('400 refresh_token_reused');
    expect([await custom(gateway.url, b.access), await custom(gateway.url, c.access)]).toEqual([
      '401 token_revoked',
      '200',
    ]);
    const warnings = (): number => gateway.output().split('the same jti').length - 1;
    await expect.poll(warnings).toBe(1);
  });

  it('numbers keep their spelling, at login and at refresh, in times, too', async () => {
    const now = Math.floor(Date.now() / 1000);
    const numbers = `"amount":19.90,"share":1.0,"limit":1E2,"iat":${now}.0,"exp":${now + 900}.00`;
    const gateway = await start();
    await both(numbers);
    const textOf = (token: string): string =>
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const first = await login(gateway.url);
    const answer = await refresh(gateway.url, first.refresh);
    expect(verdictOf(answer)).toBe('200');
    for (const token of [first.access, first.refresh, pairOf(answer).access])
      expect(textOf(token)).toContain(numbers);
    expect(await custom(gateway.url, pairOf(answer).access)).toBe('200');
    expect(Math.abs(Number(answer.json.expires_in) - 900)).toBeLessThan(30);
  });

  it.each([
    ['"sid":""', 'access_token.sid'],
    ['"sub":7', 'access_token.sub'],
    ['"jti":7', 'access_token.jti'],
    ['"iss":["a"]', 'access_token.iss'],
    ['"exp":2095789953123', 'access_token.exp'],
    ['"iat":1795789953123', 'access_token.iat'],
    ['"auth_time":1795789953123', 'access_token.auth_time'],
  ])('%s is refused: 502 claims_invalid names the claim', async (claims, name) => {
    const gateway = await start();
    await both(claims);
    const answer = await call(`${gateway.url}/token`, { method: 'POST' });
    expectError(answer, 502, 'claims_invalid', 'server_error');
    expect(answer.text).toContain(name);
  });
});

describe('an auth_time that lies ahead', () => {
  it('is that of the login: the session ends as any other', async () => {
    const claims = { sub: 'u1', aud: AUDIENCE, auth_time: 9e10 };
    await backend.answer('/token.json', { body: { access_token: claims, refresh_token: claims } });
    const gateway = await start({ REFRESH_ABSOLUTE_TTL: '600' });
    const { access, refresh: token } = await login(gateway.url);
    await backend.answer('/token.json', { body: ANSWER });
    const [ofAccess, ofRefresh] = [part(access, 1), part(token, 1)];
    expect(ofRefresh.auth_time).toBe(ofRefresh.iat);
    expect(ofAccess.auth_time).toBe(9e10);
    await gateway.advanceClock(602);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
  });
});

describe('50 uses of one refresh token at the same time', () => {
  it('succeed once', async () => {
    await expectRace([await start({ REFRESH_RETRY_WINDOW: '0' })]);
  });
});

describe('a configuration in which refresh would be unsafe', () => {
  it.each([
    [{ SIGNER_REFRESH_TYP: 'JWT' }, 'SIGNER_REFRESH_TYP must differ'],
    [{ SIGNER_REFRESH_TYP: 'application/AT+JWT' }, 'SIGNER_REFRESH_TYP must differ'],
    [{ SIGNER_FULL: 'true' }, 'needs compact tokens'],
    [{ REFRESH_RETRY_WINDOW: '61' }, 'REFRESH_RETRY_WINDOW'],
  ])('refuses to boot: %j', async (env, problem) => {
    const { lines } = await refuseInHost({ ...REFRESH, ...env });
    expect(lines).toEqual([expect.stringContaining(problem)]);
  });
});
