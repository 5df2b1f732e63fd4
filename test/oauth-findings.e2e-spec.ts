import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { hostGateway, type HostedGateway } from './helpers/gateway/host.js';
import { call, callWith, exchange, expectError } from './helpers/network/http.js';
import { AUDIENCE, ISSUER, tokenOf } from './helpers/issuers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/issuers/keys.js';
import { custom, login, postForm, verdictOf } from './helpers/sessions/sessions.js';

/** Inputs that version 0.1 answered wrongly, and for which no other spec is the place. */

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER, roles: ['role_a'] };
const now = (): number => Math.floor(Date.now() / 1000);

let backend: Backend;
let key: JWK;
let keys: string;
beforeAll(async () => {
  backend = await startBackend();
  key = await generateJwk('HS256', 'sim2');
  keys = writeKeys([key]);
  await backend.answer('/user/1.json', { body: { id: 1 } });
  await backend.answer('/refresh.json', { body: { access_token: CLAIMS, refresh_token: CLAIMS } });
});
afterAll(() => backend.stop());

const start = (env: Record<string, string> = {}): Promise<HostedGateway> =>
  hostGateway({ BACKEND_HOST: backend.url, SIGNER_JWK_LOCAL_PATH: keys, ...env });
const answers = (body: object): Promise<void> => backend.answer('/token.json', { body });
const token = (gateway: HostedGateway, init: RequestInit = {}) =>
  call(`${gateway.url}/token`, { method: 'POST', ...init });

describe('an answer of the login service', () => {
  it.each<[unknown, RegExp]>([
    [99_999, /^(?:600|5[5-9]\d)$/],
    ['"99999"', /^(?:600|5[5-9]\d)$/],
    ['1e300', /^(?:600|5[5-9]\d)$/],
    [60, /^60$/],
    ['"60"', /^"60"$/],
  ])('with an expires_in of %s, and a token of 600 s: exp is what counts', async (given, told) => {
    const claims = JSON.stringify({ ...CLAIMS, exp: now() + 600 });
    await backend.answer('/token.json', {
      body: `{"access_token":${claims},"expires_in":${String(given)}}`,
    });
    const { json } = await token(await start());
    expect(JSON.stringify(json.expires_in)).toMatch(told);
  });

  it.each(['iss', 'aud'])('without %s opens the own routes', async (name) => {
    await answers({ access_token: { ...CLAIMS, [name]: undefined } });
    const gateway = await start();
    const { json } = await token(gateway);
    expect(part(String(json.access_token), 1)).toMatchObject(CLAIMS);
    expect(await custom(gateway.url, String(json.access_token))).toBe('200');
  });

  it('with an id_token beside an at+jwt: each has its type, and only one opens routes', async () => {
    await answers({ access_token: { ...CLAIMS, client_id: 'shop' }, id_token: CLAIMS });
    const gateway = await start({
      SIGNER_TYP: 'at+jwt',
      SIGNER_KEYS_TO_SIGN: 'access_token,id_token',
    });
    const { status, json } = await token(gateway);
    expect(status).toBe(200);
    expect(part(String(json.access_token), 0).typ).toBe('at+jwt');
    expect(part(String(json.id_token), 0).typ).not.toBe('at+jwt');
    expect(await custom(gateway.url, String(json.access_token))).toBe('200');
    expect(await custom(gateway.url, String(json.id_token))).toMatch(/^401 /);
  });

  it('with two sids in one login is refused, and names the claim', async () => {
    for (const [one, other] of [['a', 'b'], ['a', ''], ['a', 1]] as const) {
      await answers({ access_token: { ...CLAIMS, sid: one }, refresh_token: { ...CLAIMS, sid: other } });
      const gateway = await start({ REFRESH_BACKEND_PATH: '/refresh.json' });
      const answer = await token(gateway);
      expectError(answer, 502, 'claims_invalid', 'server_error');
      expect(answer.text).toContain('refresh_token.sid');
    }
  }); // prettier-ignore

  it.each(['1e300', '9007199254740993', '9e10'])(
    'with an exp of %s gives cookies a Max-Age that browsers read',
    async (exp) => {
      const claims = JSON.stringify(CLAIMS).replace('}', `,"exp":${exp}}`);
      await backend.answer('/token.json', { body: `{"access_token":${claims}}` });
      const gateway = await start({ SESSION_COOKIES: 'true' });
      const answer = await token(gateway, { headers: { origin: gateway.url } });
      expect(answer.status).toBe(200);
      expect(answer.headers.getSetCookie()).toEqual([
        expect.stringMatching(/; Max-Age=[1-9]\d{0,9}$/),
      ]);
    },
  );

  it('signed as flattened JWS JSON (SIGNER_FULL) is taken by the own validator', async () => {
    await answers({ access_token: CLAIMS });
    const gateway = await start({ SIGNER_FULL: 'true' });
    const { json } = await token(gateway);
    expect(json.access_token).toMatch(/^\{"/);
    expect(await custom(gateway.url, String(json.access_token))).toBe('200');
  });
});

describe('a claim that becomes a header of the backend', () => {
  it('costs by its length, whatever is in it', async () => {
    const gateway = await start({ VALIDATOR_PROPAGATE_CLAIMS: 'note:x-note' });
    const cpu = async (): Promise<number> =>
      Number(/^process_cpu_seconds_total (.*)$/m.exec(await gateway.metrics())?.[1]);
    /** Seconds of CPU time of 20 requests; signing and checking are in them. */
    const costOf = async (note: string): Promise<number> => {
      await answers({ access_token: { ...CLAIMS, note, scope: note.slice(0, 500) } });
      const before = await cpu();
      for (let i = 0; i < 20; i++) {
        const { json } = await token(gateway);
        expect(await custom(gateway.url, String(json.access_token))).toBe('200');
      }
      const { headers } = await backend.lastCall('/user/1.json');
      expect(headers['x-note']).toBe(note);
      return (await cpu()) - before;
    };
    const letters = await costOf(`a${'x'.repeat(10_000)}b`);
    // The quadratic expression took 32 ms for 5 kB, so more than 2 s for these, each time. What other tests of the
    // process cost meanwhile counts in one or the other try.
    await expect
      .poll(() => costOf(`a${' '.repeat(10_000)}b`), { timeout: 20_000 })
      .toBeLessThan(letters + 1);
  });
});

it.each(['api-key+jwt', 'receipt+jwt', 'at+jwt', 'JWT'])(
  'a token of type %s that was revoked opens nothing any more',
  async (typ) => {
    const gateway = await start({ VALIDATOR_TYP: 'JWT,at+jwt,api-key+jwt,receipt+jwt' });
    const claims = { client_id: 'shop', jti: 'not its name' };
    const [one, other] = [
      await tokenOf(key, claims, { typ }),
      await tokenOf(key, { ...claims, n: 1 }, { typ }),
    ];
    expect(await custom(gateway.url, one)).toBe('200');
    expect((await postForm(`${gateway.url}/token/revoke`, { token: one })).status).toBe(200);
    expect(await custom(gateway.url, one)).toBe('401 token_revoked');
    expect(await custom(gateway.url, other)).toBe('200');
  },
);

it('every 401 has a challenge, whatever the route and whatever was sent', async () => {
  const gateway = await start({
    ADMIN_ROLES: 'ops',
    SESSION_LIST: 'true',
    REFRESH_BACKEND_PATH: '/refresh.json',
  });
  const { host } = new URL(gateway.url);
  for (const rule of [{ status: 401, body: 'no' }, { status: 401, body: { message: 'Unauthorized' } }]) {
    await backend.answer('/token.json', rule);
    for (const line of [
      'GET /private/custom', 'POST /logout', 'POST /token/introspect', 'GET /sessions', 'DELETE /sessions',
      'DELETE /sessions/x', 'GET /admin/revocations', 'POST /admin/revocations', 'DELETE /admin/revocations/x',
      'GET /admin/sessions?sub=u', 'DELETE /admin/sessions?sub=u', 'POST /token', 'POST http://gw/logout',
    ])
      for (const authorization of ['', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic eDp5', 'DPoP x', 'Token x', 'x']) {
        const head = `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n`;
        const more = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
        const { status, headers } = await exchange(gateway.url, `${head}${more}\r\n`);
        expect([line, authorization, status]).toEqual([line, authorization, 401]);
        expect(headers.get('www-authenticate')).toMatch(/^(?:Bearer|Basic|DPoP) \w+="/);
      }
  }
}); // prettier-ignore

describe('a request', () => {
  it.each(['', '&scope='])('with refresh_token= and nothing in it is invalid%s', async (more) => {
    const gateway = await start({ REFRESH_BACKEND_PATH: '/refresh.json' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `grant_type=refresh_token&refresh_token=${more}`;
    const answer = await token(gateway, { headers, body });
    expectError(answer, 400, String(answer.json.code), 'invalid_request');
  });

  it('to /logout with a token that is revoked says that it is', async () => {
    await answers({ access_token: CLAIMS, refresh_token: CLAIMS });
    const gateway = await start({ REFRESH_BACKEND_PATH: '/refresh.json' });
    const { access } = await login(gateway.url);
    expect((await postForm(`${gateway.url}/token/revoke`, { token: access })).status).toBe(200);
    const again = await callWith(`${gateway.url}/private/custom`, access);
    expect(verdictOf(again)).toBe('401 token_revoked');
    const headers = { authorization: `Bearer ${access}` };
    const answer = await call(`${gateway.url}/logout`, { method: 'POST', headers });
    expect(verdictOf(answer)).toBe('401 token_revoked');
  });

  it('whose successor in the same packet is garbage gets its answer all the same', async () => {
    const gateway = await start();
    const { host } = new URL(gateway.url);
    const good = `HEAD /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    expect((await exchange(gateway.url, `${good}garbage\r\n\r\n`)).status).toBe(200);
  });
});
