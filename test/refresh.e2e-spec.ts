import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backend.js';
import { hostGateway, refuseInHost, type HostedGateway } from './helpers/host.js';
import { expectError } from './helpers/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/keys.js';
import {
  custom,
  expectRace,
  login,
  pairOf,
  postForm,
  refresh,
  verdictOf,
} from './helpers/sessions.js';

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
    const missing = await postForm(`${gateway.url}/token`, { grant_type: 'refresh_token' });
    expectError(missing, 400, 'body_malformed', 'invalid_request');
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
    const gateway = await start({ REFRESH_ABSOLUTE_TTL: '600' });
    let { refresh: token } = await login(gateway.url);
    const began = Number(part(token, 1).auth_time);
    for (let round = 0; round < 3; round++) {
      await gateway.advanceClock(199);
      const answer = await refresh(gateway.url, token);
      expect(verdictOf(answer)).toBe('200');
      token = pairOf(answer).refresh;
      expect(Number(part(token, 1).auth_time)).toBe(began);
    }
    await gateway.advanceClock(4);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
  });

  it('ends unused with the refresh token itself', async () => {
    const gateway = await start({ SIGNER_REFRESH_TTL: '60' });
    const { refresh: token } = await login(gateway.url);
    await gateway.advanceClock(62);
    expect(verdictOf(await refresh(gateway.url, token))).toBe('400 refresh_token_invalid');
  });
});

describe('the retry window', () => {
  it('gives repetitions the same answer, and ends the session after it', async () => {
    // Other stores look at a clock that is not the gateway's.
    const gateway = await start({ REFRESH_RETRY_WINDOW: '2', STATE_STORE: 'memory:' });
    const first = await login(gateway.url);
    const parallel = await Promise.all(
      Array.from({ length: 20 }, () => refresh(gateway.url, first.refresh)),
    );
    expect(new Set(parallel.map(({ text }) => text)).size).toBe(1);
    const second = pairOf(parallel[0] as (typeof parallel)[0]);
    expect(await custom(gateway.url, second.access)).toBe('200');
    await gateway.advanceClock(1);
    expect(verdictOf(await refresh(gateway.url, first.refresh))).toBe('200');
    await gateway.advanceClock(2);
    expect(verdictOf(await refresh(gateway.url, first.refresh))).toBe('400 refresh_token_reused');
    expect(await custom(gateway.url, second.access)).toBe('401 token_revoked');
  });
});

describe('50 uses of one refresh token at the same time', () => {
  it('succeed once', async () => {
    await expectRace([await start()]);
  });
});

describe('a configuration in which refresh would be unsafe', () => {
  it.each([
    [{ SIGNER_REFRESH_TYP: 'JWT' }, 'SIGNER_REFRESH_TYP must differ'],
    [{ SIGNER_REFRESH_TYP: 'application/AT+JWT' }, 'SIGNER_REFRESH_TYP must differ'],
    [{ SIGNER_FULL: 'true' }, 'needs compact tokens'],
    [{ REFRESH_RETRY_WINDOW: '11' }, 'REFRESH_RETRY_WINDOW'],
  ])('refuses to boot: %j', async (env, problem) => {
    const { lines } = await refuseInHost({ ...REFRESH, ...env });
    expect(lines).toEqual([expect.stringContaining(problem)]);
  });
});
