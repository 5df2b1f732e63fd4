import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backend.js';
import { hostGateway, type HostedGateway } from './helpers/host.js';
import { call, callWith, exchange, expectError } from './helpers/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuer.js';
import { generateJwk, part, writeKeys } from './helpers/keys.js';
import { custom, login, postForm, verdictOf } from './helpers/sessions.js';

/** Inputs that version 0.1 answered wrongly, and for which no other spec is the place. */

const CLAIMS = { sub: 'u1', aud: AUDIENCE, iss: ISSUER, roles: ['role_a'] };
const now = Math.floor(Date.now() / 1000);

let backend: Backend;
let keys: string;
beforeAll(async () => {
  backend = await startBackend();
  keys = writeKeys([await generateJwk('HS256', 'sim2')]);
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
  it('with an expires_in that promises more than the token: exp is what counts', async () => {
    await answers({ access_token: { ...CLAIMS, exp: now + 600 }, expires_in: 99_999 });
    const { json } = await token(await start());
    expect(part(String(json.access_token), 1).exp).toBe(now + 600);
    expect(Math.abs(Number(json.expires_in) - 600)).toBeLessThan(60);
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

  it('signed as flattened JWS JSON (SIGNER_FULL) is taken by the own validator', async () => {
    await answers({ access_token: CLAIMS });
    const gateway = await start({ SIGNER_FULL: 'true' });
    const { json } = await token(gateway);
    expect(json.access_token).toMatch(/^\{"/);
    expect(await custom(gateway.url, String(json.access_token))).toBe('200');
  });
});

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
