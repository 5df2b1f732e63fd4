import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { JWK, JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend, type SeenRequest } from './helpers/backends/backend.js';
import { runSignet } from './helpers/gateway/cli.js';
import {
  byAssertion,
  byBasic,
  byName,
  byPost,
  clientsText,
  signAssertion,
  withSecret,
  writeClients,
  type Credentials,
} from './helpers/sessions/clients.js';
import { createDpopClient } from './helpers/sessions/dpop.js';
import { freePort } from './helpers/run/free-port.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { call, expectError, type Answer } from './helpers/network/http.js';
import { startJwksServer, type JwksServer } from './helpers/issuers/jwks-server.js';
import { generateJwk, part, publicHalf, writeKeys } from './helpers/issuers/keys.js';
import { custom, pairOf, postForm, verdictOf, type Pair } from './helpers/sessions/sessions.js';

const AUDIENCE = 'https://api.example.com';
const SECRET = 'a-secret-of-a-client';
const METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const GRANTS = ['password', 'refresh_token', 'client_credentials'];

let backend: Backend;
let gateway: Gateway;
let issuer: string;
let clientKey: JWK;
let remoteKey: JWK;
let jwks: JwksServer;
let file: string;
let env: Record<string, string>;
let holder: Awaited<ReturnType<typeof createDpopClient>>;

const LOGIN = {
  access_token: { sub: 'u1', aud: AUDIENCE, scope: 'read write admin', roles: ['role_a'] },
  refresh_token: { sub: 'u1', aud: AUDIENCE },
  scope: 'read write admin',
};

beforeAll(async () => {
  backend = await startBackend();
  await backend.answer('/token.json', { body: LOGIN });
  await backend.answer('/refresh.json', { body: LOGIN });
  await backend.answer('/user/1.json', { body: { id: 1 } });
  clientKey = await generateJwk('ES256', 'c1');
  remoteKey = await generateJwk('ES256', 'r1');
  jwks = await startJwksServer([publicHalf(remoteKey)]);
  holder = await createDpopClient();
  file = writeClients([
    withSecret(SECRET, { client_id: 'web', grant_types: GRANTS }),
    withSecret(SECRET, {
      client_id: 'post',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: GRANTS,
    }),
    {
      client_id: 'spa',
      token_endpoint_auth_method: 'none',
      grant_types: ['password', 'refresh_token'],
    },
    {
      client_id: 'keyed',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicHalf(clientKey)] },
      grant_types: GRANTS,
    },
    {
      client_id: 'remote',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: jwks.url,
      grant_types: GRANTS,
    },
    withSecret(SECRET, {
      client_id: 'billing',
      grant_types: ['client_credentials'],
      scope: 'orders:read orders:write',
      audience: [AUDIENCE, 'https://stock.example.com'],
      claims: { roles: ['role_c'], tier: 2 },
    }),
    withSecret(SECRET, {
      client_id: 'limited',
      grant_types: ['password'],
      scope: 'read write',
      audience: AUDIENCE,
    }),
    withSecret(SECRET, {
      client_id: 'bound',
      grant_types: GRANTS,
      claims: { roles: ['role_a'] },
      audience: AUDIENCE,
      dpop_bound_access_tokens: true,
    }),
    withSecret(SECRET, {
      client_id: 'holder',
      grant_types: ['client_credentials'],
      claims: {},
      audience: AUDIENCE,
      dpop_jkt: holder.cnf.jkt,
    }),
    withSecret(SECRET, { client_id: 'api', grant_types: [] }),
  ]);
  const port = String(await freePort());
  issuer = `http://127.0.0.1:${port}`;
  env = {
    BACKEND_HOST: backend.url,
    BACKEND_INPUT_HEADERS: 'authorization,x-client-id',
    SIGNER_ALG: 'ES256',
    SIGNER_KID: 'e1',
    SIGNER_JWK_LOCAL_PATH: writeKeys([await generateJwk('ES256', 'e1')]),
    SIGNER_ISSUER: issuer,
    VALIDATOR_ISSUER: issuer,
    VALIDATOR_AUDIENCE: AUDIENCE,
    PUBLIC_URL: issuer,
    REFRESH_BACKEND_PATH: '/refresh.json',
    INTROSPECTION_ROLES: 'role_c',
    JWK_HTTP_HOSTS: '127.0.0.1',
    TRUST_PROXY: 'loopback',
    CLIENTS_FILE: file,
  };
  gateway = await startGateway({ ...env, PORT: port });
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
  await jwks?.down();
});

/** Each request is from an address of its own, unless the test is about addresses. */
let address = 0;
const somewhere = (): string => `10.${(address >> 8) & 255}.${address++ & 255}.1`;

const send = (
  path: string,
  form: Record<string, string>,
  { form: more = {}, headers = {} }: Credentials = {},
): Promise<Answer> =>
  postForm(
    `${gateway.url}${path}`,
    { ...form, ...more },
    { 'x-forwarded-for': somewhere(), ...headers },
  );
const token = (form: Record<string, string>, credentials?: Credentials): Promise<Answer> =>
  send('/token', form, credentials);
const logIn = async (credentials: Credentials): Promise<Pair> => {
  const answer = await token({ grant_type: 'password', username: 'alice' }, credentials);
  expect(answer.status).toBe(200);
  return pairOf(answer);
};
const lastCall = (path: string): Promise<SeenRequest> => backend.lastCall(path);

/** A valid assertion, unless something else is said. */
const assertionOf = (claims: JWTPayload = {}, header = {}, key = clientKey, id = 'keyed') => {
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 };
  return signAssertion(key, { ...usual, ...claims }, header);
};

describe('a registered client', () => {
  const ways: [string, () => Credentials | Promise<Credentials>][] = [
    ['web', () => byBasic('web', SECRET)],
    ['post', () => byPost('post', SECRET)],
    ['spa', () => byName('spa')],
    ['keyed', async () => byAssertion(await assertionOf())],
    ['remote', async () => byAssertion(await assertionOf({}, {}, remoteKey, 'remote'))],
  ];

  it.each(ways)('%s logs in, refreshes, and ends its session', async (id, credentials) => {
    const first = await logIn(await credentials());
    for (const one of [first.access, first.refresh]) expect(part(one, 1).client_id).toBe(id);
    const next = await token(
      { grant_type: 'refresh_token', refresh_token: first.refresh },
      await credentials(),
    );
    expect(next.status).toBe(200);
    const second = pairOf(next);
    for (const one of [second.access, second.refresh]) expect(part(one, 1).client_id).toBe(id);
    expect(await custom(gateway.url, second.access)).toBe('200');
    const revoked = await send('/token/revoke', { token: second.refresh }, await credentials());
    expect(revoked.status).toBe(200);
    expect(await custom(gateway.url, second.access)).toBe('401 token_revoked');
  });

  it.each<[string, () => Credentials | Promise<Credentials>]>([
    ['a wrong secret by Basic', () => byBasic('web', `${SECRET}x`)],
    ['a wrong secret in the body', () => byPost('post', 'x')],
    ['no secret', () => byName('web')],
    ['an empty secret', () => byBasic('web', '')],
    [
      'the hash of the secret',
      () => byBasic('web', String(readFileSync(file, 'utf8').match(/[\w-]{43}/))),
    ],
    ['the other method for a secret', () => byPost('web', SECRET)],
    ['Basic where the body is registered', () => byBasic('post', SECRET)],
    ['a secret where there is none', () => byBasic('spa', 'x')],
    ['a secret where there is a key', () => byBasic('keyed', SECRET)],
    ['nothing where there is a key', () => byName('keyed')],
    ['an unknown name', () => byName('nobody')],
    ['an unknown name and a secret', () => byBasic('nobody', SECRET)],
    ['the name of a member of all objects', () => byBasic('constructor', SECRET)],
    ['nothing at all', () => ({})],
    ['a malformed header', () => ({ headers: { authorization: 'Basic !' } })],
    ['a token', () => ({ headers: { authorization: 'Bearer a.b.c' } })],
    [
      'an assertion by the key of another client',
      async () => byAssertion(await assertionOf({}, {}, remoteKey)),
    ],
    ['an assertion that is malformed', () => byAssertion('a.b.c')],
  ])('is refused with %s, and asks no backend', async (_what, credentials) => {
    const calls = backend.seen.length;
    const refused = await token({ grant_type: 'password' }, await credentials());
    expectError(refused, 401, 'client_unknown', 'invalid_client');
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="signet"');
    expect(backend.seen).toHaveLength(calls);
  });

  it('is refused in the same words, whether there is one or not', async () => {
    const known = await token({ grant_type: 'password' }, byBasic('limited', 'x'));
    const unknown = await token({ grant_type: 'password' }, byBasic('unlimited', 'x'));
    const { request_id: _one, ...first } = known.json;
    const { request_id: _other, ...second } = unknown.json;
    expect(first).toEqual(second);
    expect(known.status).toBe(unknown.status);
    const names = ({ headers }: Answer): string[] => [...headers.keys()];
    expect(names(known)).toEqual(names(unknown));
  });

  it.each<[string, Credentials]>([
    ['Basic and a secret', { ...byBasic('web', SECRET), ...byPost('web', SECRET) }],
    ['Basic and another name', { ...byBasic('web', SECRET), form: { client_id: 'post' } }],
    [
      'a secret and an assertion',
      { form: { ...byPost('post', SECRET).form, client_assertion: 'x' } },
    ],
  ])('is refused with two methods at once: %s', async (_what, credentials) => {
    expectError(
      await token({ grant_type: 'password' }, credentials),
      400,
      'client_ambiguous',
      'invalid_request',
    );
  });
});

describe('the login', () => {
  it('gets the body without the credentials, and the name of the client', async () => {
    const form = { grant_type: 'password', username: 'älice', password: 'a+b&c' };
    await token(form, byPost('post', SECRET));
    const byForm = await lastCall('/token.json');
    expect(Object.fromEntries(new URLSearchParams(byForm.body.toString()))).toEqual({
      ...form,
      client_id: 'post',
    });
    expect(byForm.headers['x-client-id']).toBe('post');
    await call(`${gateway.url}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"grant_type":"password","n":9007199254740993,"client_id":"post","client_secret":"${SECRET}"}`,
    });
    expect((await lastCall('/token.json')).body.toString()).toBe(
      '{"grant_type":"password","n":9007199254740993,"client_id":"post"}',
    );
  });

  it('gets every other body byte for byte, and no header of the client that names one', async () => {
    const headers = { ...byBasic('web', SECRET).headers, 'x-client-id': 'root' };
    await call(`${gateway.url}/token`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=password&x=%20+%C3%A4',
    });
    const seen = await lastCall('/token.json');
    expect(seen.body.toString()).toBe('grant_type=password&x=%20+%C3%A4');
    expect(seen.headers['x-client-id']).toBe('web');
    expect(seen.headers.authorization).toBeUndefined();
  });

  it('does not decide which client the tokens are for', async () => {
    await backend.answer('/token.json', {
      body: {
        access_token: { ...LOGIN.access_token, client_id: 'root' },
        refresh_token: { ...LOGIN.refresh_token, client_id: 'root' },
      },
    });
    const pair = await logIn(byBasic('web', SECRET));
    for (const one of [pair.access, pair.refresh]) expect(part(one, 1).client_id).toBe('web');
    await backend.answer('/token.json', { body: LOGIN });
  });
});

describe('a client asks for what it is registered for', () => {
  const password = { grant_type: 'password' };

  it.each<[Record<string, string>, string, string]>([
    [{}, '400 body_malformed', 'invalid_request'],
    [{ grant_type: '' }, '400 body_malformed', 'invalid_request'],
    [{ grant_type: 'client_credentials' }, '400 grant_not_allowed', 'unauthorized_client'],
    [
      { grant_type: 'refresh_token', refresh_token: 'x' },
      '400 grant_not_allowed',
      'unauthorized_client',
    ],
    [{ ...password, scope: 'read admin' }, '400 scope_not_granted', 'invalid_scope'],
    [{ ...password, resource: 'https://other' }, '400 target_unknown', 'invalid_target'],
    [{ ...password, audience: 'https://other' }, '400 target_unknown', 'invalid_target'],
  ])('%j: %s', async (form, verdict, error) => {
    const calls = backend.seen.length;
    const answer = await token(form, byBasic('limited', SECRET));
    expect([verdictOf(answer), answer.json.error]).toEqual([verdict, error]);
    expect(backend.seen).toHaveLength(calls);
  });

  it.each([
    ['{"grant_type":"password","scope":["admin"]}', '400 scope_not_granted'],
    ['{"grant_type":"password","scope":{"a":1}}', '400 body_malformed'],
    ['{"grant_type":"password","resource":["https://other"]}', '400 target_unknown'],
    ['{"grant_type":"password","resource":[1]}', '400 body_malformed'],
    ['{"grant_type":["client_credentials"]}', '400 body_malformed'],
    [`{"grant_type":"password","resource":["${AUDIENCE}"],"scope":""}`, '200'],
  ])('JSON is no way around it: %s', async (body, verdict) => {
    const headers = { ...byBasic('limited', SECRET).headers, 'content-type': 'application/json' };
    const answer = await call(`${gateway.url}/token`, { method: 'POST', headers, body });
    expect(verdictOf(answer)).toBe(verdict);
  });

  it('gets no more scopes than that, whatever the login says', async () => {
    const answer = await token(password, byBasic('limited', SECRET));
    expect(answer.json.scope).toBe('read write');
    expect(part(pairOf(answer).access, 1).scope).toBe('read write');
    // Without a registered scope the login decides.
    const other = await token(password, byBasic('web', SECRET));
    expect(other.json.scope).toBe('read write admin');
    await backend.answer('/token.json', {
      body: { access_token: { sub: 'u1', scope: ['admin', 'read'] } },
    });
    const listed = part(pairOf(await token(password, byBasic('limited', SECRET))).access, 1);
    expect(listed).toMatchObject({ scope: ['read'], aud: AUDIENCE });
    await backend.answer('/token.json', { body: LOGIN });
  });
});

describe('client_credentials with claims of the registration', () => {
  const grant = { grant_type: 'client_credentials' };
  const ask = (form: Record<string, string> = {}): Promise<Answer> =>
    token({ ...grant, ...form }, byBasic('billing', SECRET));

  it('is answered without a login', async () => {
    const calls = backend.seen.length;
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'orders:read orders:write',
    });
    expect(part(String(answer.json.access_token), 1)).toEqual({
      sub: 'billing',
      client_id: 'billing',
      iss: issuer,
      aud: [AUDIENCE, 'https://stock.example.com'],
      scope: 'orders:read orders:write',
      roles: ['role_c'],
      tier: 2,
      iat: expect.any(Number) as number,
      exp: expect.any(Number) as number,
      jti: expect.any(String) as string,
    });
    expect(backend.seen).toHaveLength(calls);
    expect(await custom(gateway.url, String(answer.json.access_token))).toBe('200');
  });

  it('gives less where less is asked for', async () => {
    const answer = await ask({ scope: 'orders:read', resource: 'https://stock.example.com' });
    expect(answer.json.scope).toBe('orders:read');
    const claims = part(String(answer.json.access_token), 1);
    expect(claims).toMatchObject({ scope: 'orders:read', aud: 'https://stock.example.com' });
  });

  it('gives no more', async () => {
    expect(verdictOf(await ask({ scope: 'orders:delete' }))).toBe('400 scope_not_granted');
    expect(verdictOf(await ask({ audience: 'https://other' }))).toBe('400 target_unknown');
  });

  it('reaches the login where the registration has no claims', async () => {
    const answer = await token(grant, byBasic('web', SECRET));
    expect(part(pairOf(answer).access, 1)).toMatchObject({ sub: 'u1', client_id: 'web' });
    expect((await lastCall('/token.json')).body.toString()).toBe('grant_type=client_credentials');
  });
});

describe('a client that is registered with dpop_bound_access_tokens (RFC 9449 section 5.2)', () => {
  it.each(['password', 'client_credentials', 'refresh_token'])(
    'gets bound tokens, or none: %s',
    async (grant) => {
      const dpop = await createDpopClient();
      const ask = async (form: Record<string, string>, proven: boolean): Promise<Answer> => {
        const proof = (): Promise<string> =>
          dpop.prove('', `${issuer}/token`, 'POST', { ath: undefined });
        const { headers } = byBasic('bound', SECRET);
        return token(form, { headers: proven ? { ...headers, dpop: await proof() } : headers });
      };
      const form: Record<string, string> = { grant_type: grant };
      if (grant === 'refresh_token')
        form.refresh_token = pairOf(await ask({ grant_type: 'password' }, true)).refresh;
      const calls = backend.seen.length;
      expectError(await ask(form, false), 400, 'dpop_proof_missing', 'invalid_dpop_proof');
      expect(backend.seen).toHaveLength(calls);
      const answer = await ask(form, true);
      expect([answer.status, answer.json.token_type]).toEqual([200, 'DPoP']);
      const { access, refresh } = pairOf(answer);
      for (const one of grant === 'client_credentials' ? [access] : [access, refresh])
        expect(part(one, 1)).toMatchObject({ client_id: 'bound', cnf: dpop.cnf });
      const route = `${issuer}/private/custom`;
      const used = await call(route, { headers: await dpop.headers(access, route) });
      expect(verdictOf(used)).toBe('200');
    },
  );

  it('gets tokens for its own key alone, where that is registered (dpop_jkt)', async () => {
    const others = await createDpopClient();
    const ask = async (by: typeof holder): Promise<Answer> => {
      const dpop = await by.prove('', `${issuer}/token`, 'POST', { ath: undefined });
      const { headers } = byBasic('holder', SECRET);
      return token({ grant_type: 'client_credentials' }, { headers: { ...headers, dpop } });
    };
    expectError(await ask(others), 400, 'dpop_key_mismatch', 'invalid_dpop_proof');
    const { access } = pairOf(await ask(holder));
    expect(part(access, 1)).toMatchObject({ client_id: 'holder', cnf: holder.cnf });
    const form = { grant_type: 'client_credentials' };
    const without = await token(form, byBasic('holder', SECRET));
    expectError(without, 400, 'dpop_proof_missing', 'invalid_dpop_proof');
  });

  it('is named by a warning where proofs do not count, also when it is added later', async () => {
    const path = writeClients([withSecret('one', { client_id: 'a', grant_types: GRANTS })]);
    const other = await hostGateway({ ...env, CLIENTS_FILE: path, DPOP: 'off' });
    const warnings = (): unknown[] =>
      other.log().filter(({ level, context }) => level === 40 && context !== 'Environment');
    expect(warnings()).toEqual([]);
    const bound = { client_id: 'b', grant_types: GRANTS, dpop_bound_access_tokens: true };
    writeFileSync(path, clientsText([withSecret('one', bound)]));
    await expect
      .poll(warnings)
      .toMatchObject([{ msg: expect.stringMatching(/ need a DPoP proof .*: b$/) as string }]);
    await other.stop();
  });

  it('has to be the client that it says it is first', async () => {
    const refused = await token({ grant_type: 'password' }, byBasic('bound', 'x'));
    expectError(refused, 401, 'client_unknown', 'invalid_client');
  });
});

describe('a refresh token', () => {
  const use = (refresh: string, credentials?: Credentials): Promise<Answer> =>
    token({ grant_type: 'refresh_token', refresh_token: refresh }, credentials);

  it('is that of its client; the try of another one changes nothing', async () => {
    const { refresh } = await logIn(byBasic('web', SECRET));
    expectError(
      await use(refresh, byPost('post', SECRET)),
      400,
      'refresh_token_invalid',
      'invalid_grant',
    );
    expectError(await use(refresh, byName('spa')), 400, 'refresh_token_invalid', 'invalid_grant');
    expectError(await use(refresh, byBasic('web', 'x')), 401, 'client_unknown', 'invalid_client');
    expectError(await use(refresh, byName('web')), 401, 'client_unknown', 'invalid_client');
    expectError(await use(refresh), 401, 'client_unknown', 'invalid_client');
    const next = pairOf(await use(refresh, byBasic('web', SECRET)));
    // Nor does the second use by another one end the session.
    expect(verdictOf(await use(refresh, byName('spa')))).toBe('400 refresh_token_invalid');
    expect(await custom(gateway.url, next.access)).toBe('200');
    expect(verdictOf(await use(next.refresh, byBasic('web', SECRET)))).toBe('200');
  });

  it('comes to the backend with the other parameters, without secrets', async () => {
    const { refresh } = await logIn(byPost('post', SECRET));
    const answer = await token(
      { grant_type: 'refresh_token', refresh_token: refresh, scope: 'read', tenant: 't1' },
      byPost('post', SECRET),
    );
    expect(answer.status).toBe(200);
    const seen = await lastCall('/refresh.json');
    expect(JSON.parse(seen.body.toString())).toMatchObject({
      sub: 'u1',
      request: { scope: 'read', tenant: 't1', client_id: 'post' },
    });
    expect(seen.body.toString()).not.toContain(SECRET);
    expect(seen.body.toString()).not.toContain(refresh);
    expect(seen.headers).toMatchObject({ 'x-client-id': 'post' });
    expect(seen.headers.authorization).toBeUndefined();
  });
});

describe('POST /token/revoke', () => {
  const revoke = (one: string, credentials?: Credentials): Promise<Answer> =>
    send('/token/revoke', { token: one }, credentials);

  it('of a token of a confidential client needs that client', async () => {
    const { access } = await logIn(byBasic('web', SECRET));
    expectError(await revoke(access), 401, 'client_unknown', 'invalid_client');
    expectError(await revoke(access, byBasic('web', 'x')), 401, 'client_unknown');
    expectError(await revoke(access, byName('web')), 401, 'client_unknown');
    expectError(
      await revoke(access, byPost('post', SECRET)),
      400,
      'client_mismatch',
      'invalid_grant',
    );
    expectError(await revoke(access, byName('spa')), 400, 'client_mismatch', 'invalid_grant');
    expect(await custom(gateway.url, access)).toBe('200');
    expect((await revoke(access, byBasic('web', SECRET))).status).toBe(200);
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('of a token of a public client needs the token', async () => {
    const { access } = await logIn(byName('spa'));
    expect((await revoke(access)).status).toBe(200);
    expect(await custom(gateway.url, access)).toBe('401 token_revoked');
  });

  it('is 200 for an unknown token, and not for a wrong secret', async () => {
    expect((await revoke('x')).status).toBe(200);
    expect((await revoke('x', byBasic('web', SECRET))).status).toBe(200);
    expectError(await revoke('x', byBasic('web', 'x')), 401, 'client_unknown');
    expectError(await send('/token/revoke', {}, byBasic('web', SECRET)), 400, 'body_malformed');
  });
});

describe('POST /token/introspect', () => {
  const introspect = (one: string, credentials?: Credentials): Promise<Answer> =>
    send('/token/introspect', { token: one }, credentials);
  const bearer = (one: string): Credentials => ({ headers: { authorization: `Bearer ${one}` } });

  it('tells a client what a token is', async () => {
    const { access, refresh } = await logIn(byBasic('web', SECRET));
    const answer = await introspect(access, byBasic('api', SECRET));
    expect(answer.json).toMatchObject({
      active: true,
      token_use: 'access',
      token_type: 'Bearer',
      client_id: 'web',
      sub: 'u1',
    });
    const other = await introspect(refresh, byBasic('api', SECRET));
    expect(other.json).toMatchObject({ active: true, token_use: 'refresh', client_id: 'web' });
    expect(other.json.token_type).toBeUndefined();
    expect((await introspect('x', byBasic('api', SECRET))).json).toEqual({ active: false });
  });

  it('tells the name of the user where a claim does', async () => {
    const ask = async (claims: object): Promise<unknown> => {
      await backend.answer('/token.json', { body: { access_token: { sub: 'u1', ...claims } } });
      const { access } = await logIn(byBasic('web', SECRET));
      return (await introspect(access, byBasic('api', SECRET))).json;
    };
    expect(await ask({ username: 'alice', preferred_username: 'x' })).toMatchObject({
      username: 'alice',
    });
    expect(await ask({ preferred_username: 'alice' })).toMatchObject({ username: 'alice' });
    expect(await ask({ preferred_username: 7 })).not.toHaveProperty('username');
    // What the login calls a token is not what it is.
    expect(await ask({ token_use: 'x', token_type: 'x', active: false })).toMatchObject({
      active: true,
      token_use: 'access',
      token_type: 'Bearer',
    });
    await backend.answer('/token.json', { body: LOGIN });
  });

  it('is for clients with credentials and for holders of a role, and for nobody else', async () => {
    const { access: user } = await logIn(byBasic('web', SECRET));
    const service = String(
      (await token({ grant_type: 'client_credentials' }, byBasic('billing', SECRET))).json
        .access_token,
    );
    expect((await introspect(user, bearer(service))).json.active).toBe(true);
    expectError(await introspect(user, bearer(user)), 403, 'roles_missing', 'insufficient_scope');
    expectError(
      await introspect(user, byBasic('api', 'x')),
      401,
      'client_unknown',
      'invalid_client',
    );
    // A name alone proves nothing.
    const byPublic = await introspect(user, byName('spa'));
    expect([byPublic.status, byPublic.json.active]).toEqual([401, undefined]);
    const nobody = await introspect(user);
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('an assertion (RFC 7523)', () => {
  const use = async (assertion: string | Promise<string>): Promise<string> =>
    verdictOf(await token({ grant_type: 'password' }, byAssertion(await assertion)));
  const now = (): number => Math.floor(Date.now() / 1000);

  it.each<[string, () => string | Promise<string>]>([
    ['the issuer as its audience', () => assertionOf()],
    ['the token endpoint as its audience', () => assertionOf({ aud: `${issuer}/token` })],
    ['several audiences', () => assertionOf({ aud: ['https://x', issuer] })],
    ['no kid, where there is one key', () => assertionOf({}, { kid: undefined })],
    ['a type of its own', () => assertionOf({}, { typ: 'client-authentication+jwt' })],
    ['no iat', () => assertionOf({ iat: undefined })],
  ])('counts with %s', async (_what, assertion) => {
    expect(await use(assertion())).toBe('200');
  });

  it.each<[string, () => string | Promise<string>]>([
    ['another audience', () => assertionOf({ aud: 'https://other.example.com' })],
    ['a longer audience', () => assertionOf({ aud: `${issuer}/token/` })],
    ['no audience', () => assertionOf({ aud: undefined })],
    ['no expiry', () => assertionOf({ exp: undefined })],
    ['an expiry that is past', () => assertionOf({ exp: now() - 5 })],
    ['an expiry that is far away', () => assertionOf({ exp: now() + 7200 })],
    ['an iat that lies ahead', () => assertionOf({ iat: now() + 30 })],
    ['an nbf that lies ahead', () => assertionOf({ nbf: now() + 30 })],
    ['no jti', () => assertionOf({ jti: undefined })],
    ['no sub', () => assertionOf({ sub: undefined })],
    ['another sub', () => assertionOf({ sub: 'web' })],
    ['another iss', () => assertionOf({ iss: 'web' })],
    ['an unknown kid', () => assertionOf({}, { kid: 'c2' })],
    ['the type of a refresh token', () => assertionOf({}, { typ: 'rt+jwt' })],
    [
      'no signature',
      async () => {
        const [, payload] = (await assertionOf()).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
    [
      'a secret algorithm',
      async () =>
        assertionOf(
          {},
          { alg: 'HS256' },
          { kty: 'oct', k: 'A'.repeat(43), alg: 'HS256', kid: 'c1' },
        ),
    ],
    [
      'a changed payload',
      async () => {
        const [header, , signature] = (await assertionOf()).split('.');
        const [, payload] = (await assertionOf()).split('.');
        return `${header}.${payload}.${signature}`;
      },
    ],
  ])('is refused with %s', async (_what, assertion) => {
    expect(await use(assertion())).toBe('401 client_unknown');
  });

  it('counts once, and once it is right', async () => {
    const jti = randomUUID();
    expect(await use(assertionOf({ jti, aud: 'https://other' }))).toBe('401 client_unknown');
    const assertion = await assertionOf({ jti });
    const both = await Promise.all([use(assertion), use(assertion)]);
    expect(both.toSorted()).toEqual(['200', '401 client_unknown']);
    expect(await use(assertionOf({ jti }))).toBe('401 client_unknown');
    // Another client may have made the same one.
    expect(await use(assertionOf({ jti }, {}, remoteKey, 'remote'))).toBe('200');
  });

  it('by a new key of the client counts as soon as the client publishes it', async () => {
    const next = await generateJwk('ES256', 'r2');
    jwks.serve([publicHalf(next)]);
    // A set that was fetched a moment ago is not fetched again at once.
    await expect
      .poll(() => use(assertionOf({}, {}, next, 'remote')), { timeout: 15_000, interval: 1000 })
      .toBe('200');
  });
});

describe('failed attempts', () => {
  const attempt = (id: string, secret: string, from: string): Promise<Answer> =>
    token(
      { grant_type: 'password' },
      {
        headers: { ...byBasic(id, secret).headers, 'x-forwarded-for': from },
      },
    );

  it.each(['web', 'nobody'])('of %s are limited per address', async (id) => {
    const from = `192.0.2.${id.length}`;
    for (let i = 0; i < 10; i++)
      expectError(await attempt(id, `guess-${i}`, from), 401, 'client_unknown');
    // Nor does the right secret help then.
    const blocked = await attempt(id, SECRET, from);
    expectError(blocked, 429, 'rate_limited');
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await attempt('limited', SECRET, from)).status).toBe(200);
    expect((await attempt('web', SECRET, '192.0.2.200')).status).toBe(200);
  });

  it('do not count while they succeed', async () => {
    for (let i = 0; i < 15; i++)
      expect((await attempt('web', SECRET, '192.0.2.201')).status).toBe(200);
  });
});

describe('the file of clients', () => {
  const grant = { grant_type: 'client_credentials' };
  const own = (): string =>
    writeClients([withSecret('one', { client_id: 'a', grant_types: [...GRANTS], claims: {} })]);
  const ask = (at: Gateway, secret: string, id = 'a'): Promise<string> =>
    postForm(`${at.url}/token`, grant, {
      'x-forwarded-for': somewhere(),
      ...byBasic(id, secret).headers,
    }).then(verdictOf);

  it('is followed: a secret that the command makes counts, and the old one no more', async () => {
    const path = own();
    const other = await hostGateway({ ...env, CLIENTS_FILE: path });
    expect(await ask(other, 'one')).toBe('200');
    const { stdout } = await runSignet(['clients', 'rotate-secret', 'a', '--file', path], {
      cwd: '/',
    });
    const secret = /client_secret +([\w-]{43})$/m.exec(stdout)?.[1] ?? '';
    await expect.poll(() => ask(other, secret)).toBe('200');
    expect(await ask(other, 'one')).toBe('401 client_unknown');
    const added = await runSignet(['clients', 'add', 'b', '--file', path], { cwd: '/' });
    const second = /client_secret +([\w-]{43})$/m.exec(added.stdout)?.[1] ?? '';
    await expect.poll(() => ask(other, second, 'b')).toBe('200');
    await runSignet(['clients', 'remove', 'a', '--file', path], { cwd: '/' });
    await expect.poll(() => ask(other, secret)).toBe('401 client_unknown');
    expect(await ask(other, second, 'b')).toBe('200');
  });

  it('that is broken changes nothing, and is told once', async () => {
    const path = own();
    const other = await hostGateway({ ...env, CLIENTS_FILE: path });
    const good = readFileSync(path, 'utf8');
    const lines = (): unknown[] =>
      other.log().filter(({ level, msg }) => level === 50 && /Clients/.test(String(msg)));
    for (const bad of [
      good.slice(0, -9),
      clientsText([{ client_id: 'a', grant_types: [], client_secret: 'top-secret' }]),
    ]) {
      const before = lines().length;
      writeFileSync(path, bad);
      await expect.poll(() => lines().length).toBe(before + 1);
      expect(await ask(other, 'one')).toBe('200');
    }
    expect(other.output()).toContain('the last good clients stay in use');
    expect(other.output()).not.toContain('top-secret');
    writeFileSync(
      path,
      clientsText([withSecret('two', { client_id: 'a', grant_types: GRANTS, claims: {} })]),
    );
    await expect.poll(() => ask(other, 'two')).toBe('200');
    expect(lines()).toHaveLength(2);
  });

  const PRODUCTION = { NODE_ENV: 'production', WORKERS: '1', JWK_HTTP_HOSTS: '' };

  it('that others can read stops production, and is left alone once it runs', async () => {
    const path = own();
    chmodSync(path, 0o644);
    const { lines } = await refuseInHost({ ...env, ...PRODUCTION, CLIENTS_FILE: path });
    expect(lines).toEqual([
      `Clients: file ${path} can be read or changed by others (mode 644); run: chmod 600 ${path}`,
    ]);
    chmodSync(path, 0o600);
    const other = await hostGateway({ ...env, ...PRODUCTION, CLIENTS_FILE: path });
    writeFileSync(
      path,
      clientsText([withSecret('two', { client_id: 'a', grant_types: GRANTS, claims: {} })]),
    );
    chmodSync(path, 0o666);
    await expect.poll(() => other.output()).toContain('can be read or changed by others');
    expect(await ask(other, 'one')).toBe('200');
    // Its contents need not change for it to count again.
    chmodSync(path, 0o600);
    await expect.poll(() => ask(other, 'two')).toBe('200');
  });

  it('is named with all its problems at the boot', async () => {
    const path = writeClients([
      { client_id: 'a' },
      { client_id: 'b', grant_types: [], secret: 'x' },
    ]);
    const { lines } = await refuseInHost({ ...env, CLIENTS_FILE: path });
    expect(lines).toEqual([
      `Clients: ${path}: client 'a': 'grant_types' is missing`,
      `Clients: ${path}: client 'b': 'secret' is unknown: write its SHA-256 as 'client_secret_sha256'`,
    ]);
    const missing = await refuseInHost({ ...env, CLIENTS_FILE: '/nowhere/clients.json' });
    expect(missing.lines).toEqual(['Clients: /nowhere/clients.json: cannot be read (ENOENT)']);
    const insecure = writeClients([
      {
        client_id: 'a',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'http://keys.example/jwks',
        grant_types: [],
      },
    ]);
    const http = await refuseInHost({ ...env, CLIENTS_FILE: insecure });
    expect(http.lines).toEqual([
      'Clients: http://keys.example/jwks: must be https, or anyone on the network path can replace the keys',
    ]);
  });

  it('lets clients introspect where no role may', async () => {
    const path = own();
    const other = await hostGateway({ ...env, INTROSPECTION_ROLES: '', CLIENTS_FILE: path });
    const post = (credentials: Credentials = {}): Promise<Answer> =>
      postForm(`${other.url}/token/introspect`, { token: 'x' }, credentials.headers);
    expect((await post(byBasic('a', 'one'))).json).toEqual({ active: false });
    expectError(await post(), 401, 'client_unknown', 'invalid_client');
    expectError(await post({ headers: { authorization: 'Bearer a.b.c' } }), 401, 'client_unknown');
    const metadata = await call(`${other.url}/.well-known/oauth-authorization-server`);
    expect(metadata.json).toMatchObject({
      token_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_methods_supported: METHODS,
      introspection_endpoint_auth_methods_supported: METHODS.slice(1),
    });
    for (const endpoint of ['token', 'revocation', 'introspection'])
      expect(metadata.json[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toContain(
        'ES256',
      );
  });

  it.each([
    [{ scope: 'a' }, false],
    [{ scope: 'a', claims: {} }, true],
  ])('with %j lists client_credentials: %j', async (registration, isListed) => {
    const path = writeClients([
      withSecret('one', { client_id: 'a', grant_types: ['client_credentials'], ...registration }),
    ]);
    const other = await hostGateway({
      ...env,
      TOKEN_BACKEND_GRANTS: 'password',
      CLIENTS_FILE: path,
    });
    const metadata = await call(`${other.url}/.well-known/oauth-authorization-server`);
    const grants = metadata.json.grant_types_supported as string[];
    expect(grants.includes('client_credentials')).toBe(isListed);
  });

  it('takes a 401 of the login for one of the user: it has not seen the credentials', async () => {
    const other = await hostGateway({ ...env, TOKEN_BACKEND_ERRORS: 'oauth' });
    await backend.answer('/token.json', { status: 401, body: { message: 'Wrong password' } });
    const answer = await postForm(
      `${other.url}/token`,
      { grant_type: 'password' },
      byBasic('web', SECRET).headers,
    );
    await backend.answer('/token.json', { body: LOGIN });
    expectError(answer, 400, 'backend_refused', 'invalid_grant');
  });

  it('answers client_credentials whatever else is signed', async () => {
    const other = await hostGateway({
      ...env,
      SIGNER_KEYS_TO_SIGN: 'access_token,refresh_token,receipt',
      SIGNER_REQUIRE_ALL_KEYS: 'true',
      SESSION_COOKIES: 'true',
      CLIENTS_FILE: own(),
    });
    const answer = await postForm(`${other.url}/token`, grant, byBasic('a', 'one').headers);
    expect([answer.status, Object.keys(answer.json)]).toEqual([
      200,
      ['access_token', 'token_type', 'expires_in'],
    ]);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});
