import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend, type SeenRequest } from './helpers/backends/backend.js';
import {
  byAssertion,
  byBasic,
  byName,
  byPost,
  type Credentials,
} from './helpers/sessions/clients.js';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { call, expectError, type Answer } from './helpers/network/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { custom, pairOf, postForm, verdictOf, type Pair } from './helpers/sessions/sessions.js';

/* Without CLIENTS_FILE the login decides who a client is. */

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER, client_id: 'shop', scope: 'read' };
const ANSWER = { access_token: { ...CLAIMS, roles: ['role_a'] }, refresh_token: CLAIMS };
const [ID, SECRET] = ['shop', 'a:b+c %d'];

let backend: Backend;
let gateway: HostedGateway;
beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/token.json', { body: ANSWER });
  await backend.answer('/refresh.json', { body: ANSWER });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  gateway = await hostGateway({
    BACKEND_HOST: backend.url,
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('HS256', 'sim2')]),
    REFRESH_BACKEND_PATH: '/refresh.json',
  });
});
afterAll(() => backend.stop());

const lastCall = (path: string): Promise<SeenRequest> => backend.lastCall(path);
const token = (
  form: Record<string, string>,
  { form: more = {}, headers = {} }: Credentials = {},
): Promise<Answer> => postForm(`${gateway.url}/token`, { ...form, ...more }, headers);
const logIn = async (): Promise<Pair> => pairOf(await token({ grant_type: 'password' }));
const refresh = (one: string, credentials?: Credentials, more = {}): Promise<Answer> =>
  token({ grant_type: 'refresh_token', refresh_token: one, ...more }, credentials);

describe('the login without registered clients', () => {
  it('gets HTTP Basic, and no other Authorization', async () => {
    const sent = async (authorization: string): Promise<string | undefined> => {
      await token({ grant_type: 'password' }, { headers: { authorization } });
      return (await lastCall('/token.json')).headers.authorization;
    };
    const { authorization = '' } = byBasic(ID, SECRET).headers ?? {};
    expect(await sent(authorization)).toBe(authorization);
    expect(await sent('basic !')).toBe('basic !');
    for (const other of ['Bearer a.b.c', 'DPoP a.b.c', 'Basicx abc', 'x'])
      expect([other, await sent(other)]).toEqual([other, undefined]);
  });

  it('gets its secrets in the body, as they came', async () => {
    await token({ grant_type: 'password' }, byPost(ID, SECRET));
    expect((await lastCall('/token.json')).body.toString()).toBe(
      'grant_type=password&client_id=shop&client_secret=a%3Ab%2Bc+%25d',
    );
  });

  it('gets HTTP Basic on no other route', async () => {
    const { access } = await logIn();
    await call(`${gateway.url}/private/custom`, { headers: { authorization: `Bearer ${access}` } });
    expect((await lastCall('/user/1.json')).headers.authorization).toBeUndefined();
    const basic = await call(`${gateway.url}/private/custom`, byBasic(ID, SECRET));
    expectError(basic, 401, 'token_missing');
  });
});

describe('a token that is listed to be forwarded', () => {
  it('does not reach the login all the same', async () => {
    const other = await hostGateway({
      BACKEND_HOST: backend.url,
      BACKEND_INPUT_HEADERS: 'authorization',
    });
    const sent = async (authorization: string): Promise<string | undefined> => {
      await postForm(`${other.url}/token`, {}, { authorization });
      return (await lastCall('/token.json')).headers.authorization;
    };
    expect(await sent('Bearer a.b.c')).toBeUndefined();
    expect(await sent('ApiKey abc')).toBe('ApiKey abc');
    expect(await sent('Basic abc')).toBe('Basic abc');
    gateway = await hostGateway({
      BACKEND_HOST: backend.url,
      REFRESH_BACKEND_PATH: '/refresh.json',
    });
  });
});

describe('the refresh without registered clients', () => {
  it('gives the backend the other parameters', async () => {
    const { refresh: one } = await logIn();
    const more = { scope: 'read', resource: 'https://api', tenant: 't1' };
    expect((await refresh(one, undefined, more)).status).toBe(200);
    const seen = await lastCall('/refresh.json');
    expect(JSON.parse(seen.body.toString())).toEqual({
      sub: 'u1',
      sid: part(one, 1).sid,
      claims: part(one, 1),
      request: more,
    });
    expect(seen.headers.authorization).toBeUndefined();
  });

  it('gives it the texts and lists of JSON', async () => {
    const { refresh: one } = await logIn();
    const request = { resource: ['https://a', 'https://b'], x: '1' };
    const answer = await call(`${gateway.url}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...request,
        deep: { a: 1 },
        grant_type: 'refresh_token',
        refresh_token: one,
        client_secret: 'x',
        client_id: 'shop',
      }),
    });
    expect(answer.status).toBe(200);
    const body = JSON.parse((await lastCall('/refresh.json')).body.toString()) as {
      request: unknown;
    };
    expect(body.request).toEqual({ ...request, client_id: 'shop' });
  });

  it.each<[string, Credentials]>([
    ['by Basic', byBasic(ID, SECRET)],
    ['in the body', byPost(ID, SECRET)],
  ])('gives it credentials that came %s, as HTTP Basic', async (_how, credentials) => {
    const { refresh: one } = await logIn();
    expect((await refresh(one, credentials)).status).toBe(200);
    const seen = await lastCall('/refresh.json');
    expect(seen.headers.authorization).toBe(byBasic(ID, SECRET).headers?.authorization);
    expect(seen.body.toString()).not.toContain('client_secret');
    expect(seen.body.toString()).not.toContain(one);
  });

  it('gives it a secret without the name of a client, too', async () => {
    const { refresh: one } = await logIn();
    expect((await refresh(one, { form: { client_secret: SECRET } })).status).toBe(200);
    const seen = await lastCall('/refresh.json');
    expect(seen.headers.authorization).toBe(byBasic('', SECRET).headers?.authorization);
  });

  it('gives it an assertion, which only the backend can check', async () => {
    const { refresh: one } = await logIn();
    const assertion = byAssertion('a.b.c');
    expect((await refresh(one, assertion)).status).toBe(200);
    const body = JSON.parse((await lastCall('/refresh.json')).body.toString()) as {
      request: unknown;
    };
    expect(body.request).toEqual(assertion.form);
  });

  it.each([
    [401, 'invalid_client'],
    [400, 'invalid_client'],
    [400, 'invalid_scope'],
    [400, 'invalid_target'],
  ])('passes its answer %i %s on, and consumes nothing', async (status, error) => {
    const { refresh: one } = await logIn();
    const body = { error, error_description: 'as the backend says' };
    const headers = { 'WWW-Authenticate': 'Basic realm="login"' };
    await backend.answer('/refresh.json', { status, body, headers });
    const answer = await refresh(one, byBasic(ID, 'wrong'));
    expect([answer.status, answer.json]).toEqual([status, body]);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="login"');
    await backend.answer('/refresh.json', { body: ANSWER });
    expect((await refresh(one, byBasic(ID, SECRET))).status).toBe(200);
  });

  it.each<[string, Credentials, string]>([
    ['Basic', byBasic(ID, 'wrong'), 'Basic realm="signet"'],
    ['a secret in the body', byPost(ID, 'wrong'), 'Basic realm="signet"'],
    ['nothing', {}, 'Bearer realm="signet"'],
  ])(
    'gives its 401 without a challenge that of the scheme: %s (RFC 6749 section 5.2)',
    async (_what, credentials, challenge) => {
      const { refresh: one } = await logIn();
      await backend.answer('/refresh.json', { status: 401, body: { error: 'invalid_client' } });
      const { status, headers } = await refresh(one, credentials);
      await backend.answer('/refresh.json', { body: ANSWER });
      expect([status, headers.get('www-authenticate')]).toEqual([401, challenge]);
    },
  );

  it.each(['invalid_grant', 'access_denied', undefined])(
    'ends the session for %s',
    async (error) => {
      const { refresh: one } = await logIn();
      await backend.answer('/refresh.json', { status: 401, body: { error } });
      expectError(await refresh(one), 400, 'refresh_token_invalid', 'invalid_grant');
      await backend.answer('/refresh.json', { body: ANSWER });
    },
  );

  it('has the credentials of a repetition checked as well', async () => {
    const { refresh: one } = await logIn();
    const first = await refresh(one, byBasic(ID, SECRET));
    expect(first.status).toBe(200);
    const body = { error: 'invalid_client' };
    await backend.answer('/refresh.json', { status: 401, body });
    for (const credentials of [byBasic(ID, 'wrong'), byPost(ID, 'wrong'), byAssertion('x'), {}]) {
      const refused = await refresh(one, credentials);
      expect([refused.status, refused.json]).toEqual([401, body]);
    }
    await backend.answer('/refresh.json', { body: ANSWER });
    // It ended nothing: who has the secret gets the answer again, and goes on with it.
    const again = await refresh(one, byBasic(ID, SECRET));
    expect([again.status, pairOf(again)]).toEqual([200, pairOf(first)]);
    expect(await custom(gateway.url, pairOf(again).access)).toBe('200');
  });

  it('refuses two methods at once, and a client that the token does not name', async () => {
    const { refresh: one } = await logIn();
    const calls = backend.seen.length;
    expectError(
      await refresh(one, { ...byBasic(ID, SECRET), ...byPost(ID, SECRET) }),
      400,
      'client_ambiguous',
      'invalid_request',
    );
    for (const other of [byBasic('other', SECRET), byPost('other', SECRET)])
      expect(verdictOf(await refresh(one, other))).toBe('400 refresh_token_invalid');
    expect(backend.seen).toHaveLength(calls);
    expect((await refresh(one)).status).toBe(200);
  });
});

describe('a revocation without registered clients', () => {
  it('is refused to a client that the token does not name, however it names itself', async () => {
    const { access } = await logIn();
    const revoke = ({ form, headers }: Credentials): Promise<Answer> =>
      postForm(`${gateway.url}/token/revoke`, { token: access, ...form }, headers);
    for (const other of [byName('other'), byBasic('other', SECRET), byPost('other', SECRET)])
      expectError(await revoke(other), 400, 'client_mismatch', 'invalid_grant');
    const both = { ...byBasic(ID, SECRET), ...byPost(ID, SECRET) };
    expectError(await revoke(both), 400, 'client_ambiguous', 'invalid_request');
    expect(await custom(gateway.url, access)).toBe('200');
    for (const own of [byName(''), byName(ID), byBasic(ID, SECRET)])
      expect((await revoke(own)).status).toBe(200);
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });
});
