import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend, type Rule } from './helpers/backends/backend.js';
import { byBasic, byPost, type Credentials } from './helpers/sessions/clients.js';
import type { Gateway } from './helpers/gateway/gateway.js';
import { hostGateway } from './helpers/gateway/host.js';
import { call, callWith, type Answer } from './helpers/network/http.js';
import { part } from './helpers/issuers/keys.js';
import { pairOf, postForm } from './helpers/sessions/sessions.js';

let backend: Backend;
let gateway: Gateway;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(async () => {
  await gateway?.stop();
  await backend?.stop();
});

const PASSWORD = { grant_type: 'password', username: 'alice', password: 'wrong' };
const basic = { authorization: `Basic ${Buffer.from('shop:s').toString('base64')}` };
const nest = (status: number, message: unknown, error?: string): Rule => ({
  status,
  body: { message, ...(error === undefined ? {} : { error }), statusCode: status },
});
const logIn = async (
  rule: Rule,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> => {
  await backend.answer('/token.json', rule);
  return postForm(`${gateway.url}/token`, { ...PASSWORD, ...form }, headers);
};

const BEARER = 'Bearer realm="signet"';
const BASIC = 'Basic realm="signet"';

describe('TOKEN_BACKEND_ERRORS=oauth: RFC 6749 section 5.2', () => {
  beforeAll(async () => {
    gateway = await hostGateway({ BACKEND_HOST: backend.url, TOKEN_BACKEND_ERRORS: 'oauth' });
  });

  const REFUSED = 'The login refused the request.';

  it.each<[string, Rule, description: string]>([
    ['passport', nest(401, 'Unauthorized'), 'Unauthorized'],
    ['Nest', nest(401, 'wrong password', 'Unauthorized'), 'wrong password'],
    ['Nest', nest(403, 'locked', 'Forbidden'), 'locked'],
    ['Nest', nest(404, 'no "such" user', 'Not Found'), "no 'such' user"],
    ['class-validator', nest(400, ['a', 'b'], 'Bad Request'), 'a; b'],
    ['a login in another language', nest(422, 'Paßwort'), 'Pa?wort'],
    ['a long story', nest(401, 'x'.repeat(1000)), 'x'.repeat(200)],
    ['a string', { status: 401, headers: { 'content-type': 'text/plain' }, body: 'no' }, REFUSED],
    ['a word', { status: 401, body: { error: 'unauthorized' } }, REFUSED],
    ['a list', { status: 401, body: ['no'] }, REFUSED],
    ['a code that is no text', { status: 400, body: { error: { code: 1 } } }, REFUSED],
  ])('%s becomes invalid_grant', async (_who, rule, description) => {
    const { status, json, headers } = await logIn(rule);
    expect([status, json.error, json.code]).toEqual([400, 'invalid_grant', 'backend_refused']);
    // With the reason, which development adds, where the login gives none.
    expect([description, `the backend answered ${rule.status}`]).toContain(json.error_description);
    expect([headers.get('cache-control'), headers.get('www-authenticate')]).toEqual([
      'no-store',
      null,
    ]);
  });

  it.each<[Rule, challenge: string | null]>([
    [{ status: 400, body: { error: 'invalid_scope', scope: 'a' } }, null],
    [{ status: 401, body: { error: 'invalid_client' } }, BEARER],
    [{ status: 403, body: { error: 'mfa_required', mfa_token: 'x' } }, null],
  ])('an OAuth error stays: %j', async (rule, challenge) => {
    const { status, json, headers } = await logIn(rule);
    expect([status, json]).toEqual([rule.status, rule.body]);
    expect(headers.get('www-authenticate')).toBe(challenge);
  });

  it.each<[Record<string, string>, Record<string, string>]>([
    [{}, basic],
    [{ client_id: 'shop', client_secret: 's' }, {}],
    [{ client_assertion: 'a.b.c', client_assertion_type: 'jwt' }, {}],
  ])(
    'a client that sent credentials (%j, %j) is told that they are wrong',
    async (form, headers) => {
      const refused = await logIn(nest(401, 'Unauthorized'), form, headers);
      expect([refused.status, refused.json.error]).toEqual([401, 'invalid_client']);
      expect(refused.headers.get('www-authenticate')).toBe(BASIC);
      // Only 401 is about the client.
      expect((await logIn(nest(403, 'locked'), form, headers)).json.error).toBe('invalid_grant');
    },
  );

  it('a login that is asked too often says so as it likes', async () => {
    const answer = await logIn({ ...nest(429, 'slow down'), headers: { 'retry-after': '7' } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    expect(answer.json).toEqual({ message: 'slow down', statusCode: 429 });
  });
});

describe('TOKEN_BACKEND_ERRORS=pass', () => {
  beforeAll(async () => {
    gateway = await hostGateway({ BACKEND_HOST: backend.url });
  });

  it('leaves a refusal as it is, and gives a 401 its challenge (RFC 9110 section 15.5.2)', async () => {
    const rule = nest(401, 'Unauthorized');
    const challenge = async (
      headers: Record<string, string>,
      form: Record<string, string> = {},
      more: Partial<Rule> = {},
    ): Promise<string | null> => {
      const answer = await logIn({ ...rule, ...more }, form, headers);
      expect([answer.status, answer.json]).toEqual([401, rule.body]);
      return answer.headers.get('www-authenticate');
    };
    // A page's login form must not make the browser ask for a password.
    expect(await challenge({})).toBe(BEARER);
    expect(await challenge(basic)).toBe(BASIC);
    expect(await challenge({}, { client_secret: 's' })).toBe(BASIC);
    const own = { headers: { 'www-authenticate': 'Digest realm="login"' } };
    expect(await challenge(basic, {}, own)).toBe('Digest realm="login"');
    const other = await logIn(nest(403, 'Forbidden'), {}, basic);
    expect([other.status, other.headers.get('www-authenticate')]).toEqual([403, null]);
  });

  it('gives that of a protected route’s backend its challenge, too', async () => {
    await backend.answer('/token.json', {
      body: { access_token: { sub: 'u', roles: ['role_a'] } },
    });
    await backend.answer('/user/1.json', nest(401, 'Unauthorized'));
    const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
    const answer = await callWith(`${gateway.url}/private/custom`, String(json.access_token));
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, BEARER]);
    expect(answer.json).toEqual({ message: 'Unauthorized', statusCode: 401 });
  });
});

describe('the demo login', () => {
  it('refuses as RFC 6749 section 5.2 says, and keeps the scope at refresh', async () => {
    gateway = await hostGateway({ REFRESH_BACKEND_PATH: '/refresh.json' });
    const ask = (form: Record<string, string>, headers = {}) =>
      postForm(`${gateway.url}/token`, form, headers);
    const verdict = async (form: Record<string, string>, headers = {}): Promise<unknown[]> => {
      const { status, json, headers: answered } = await ask(form, headers);
      return [status, json.error, answered.get('www-authenticate')];
    };
    expect(await verdict(PASSWORD)).toEqual([400, 'invalid_grant', null]);
    expect(await verdict({ grant_type: 'password', username: 'alice' })).toEqual([
      400,
      'invalid_request',
      null,
    ]);
    expect(await verdict({ grant_type: 'implicit' })).toEqual([
      400,
      'unsupported_grant_type',
      null,
    ]);
    expect(await verdict({ ...PASSWORD, scope: '"' })).toEqual([400, 'invalid_scope', null]);
    expect(await verdict({ grant_type: 'client_credentials' }, basic)).toEqual([
      401,
      'invalid_client',
      'Basic realm="demo"',
    ]);
    const bob = { grant_type: 'password', username: 'bob', password: 'builder' };
    const first = await ask({ ...bob, scope: 'read write' });
    const form = { grant_type: 'refresh_token', refresh_token: String(first.json.refresh_token) };
    const second = await ask(form);
    expect([first.json.scope, second.json.scope]).toEqual(['read write', 'read write']);
    const again = { ...form, refresh_token: String(second.json.refresh_token) };
    expect((await ask(again)).json.scope).toBe('read write');
  });

  it('checks what the metadata announce, and gives less where a refresh asks for less', async () => {
    gateway = await hostGateway({ REFRESH_BACKEND_PATH: '/refresh.json' });
    const { json: metadata } = await call(`${gateway.url}/.well-known/oauth-authorization-server`);
    expect(metadata.token_endpoint_auth_methods_supported).toEqual([
      'none',
      'client_secret_basic',
      'client_secret_post',
    ]);
    const ask = (form: Record<string, string>, credentials: Credentials) =>
      postForm(`${gateway.url}/token`, { ...form, ...credentials.form }, credentials.headers);
    const alice = { username: 'alice', password: 'wonderland', scope: 'read write' };
    for (const by of [byBasic, byPost]) {
      const login = { grant_type: 'password', ...alice };
      const { json } = await ask(login, by('demo', 'demo-secret'));
      const refresh = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token) };
      for (const form of [login, refresh, { grant_type: 'client_credentials' }]) {
        const refused = await ask(form, by('demo', 'wrong'));
        expect([refused.status, refused.json.error]).toEqual([401, 'invalid_client']);
        expect(refused.headers.get('www-authenticate')).toBe('Basic realm="demo"');
      }
      const less = await ask({ ...refresh, scope: 'read' }, by('demo', 'demo-secret'));
      const { access, refresh: next } = pairOf(less);
      expect([part(access, 1).scope, part(next, 1).scope]).toEqual(['read', 'read write']);
      const more = await ask(
        { ...refresh, refresh_token: next, scope: 'read admin' },
        by('demo', 'demo-secret'),
      );
      expect([more.status, more.json.error]).toEqual([400, 'invalid_scope']);
      const all = await ask({ ...refresh, refresh_token: next }, by('demo', 'demo-secret'));
      expect(part(pairOf(all).access, 1).scope).toBe('read write');
    }
  });
});
