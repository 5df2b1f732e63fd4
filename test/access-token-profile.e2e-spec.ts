import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type Backend } from './helpers/backends/backend.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith, expectError } from './helpers/network/http.js';
import { part } from './helpers/issuers/keys.js';

const COMPLETE = { aud: 'http://api.example.com', sub: 's', client_id: 'c', roles: ['role_a'] };

describe('SIGNER_TYP=at+jwt', () => {
  let backend: Backend;
  let gateway: Gateway;
  beforeAll(async () => {
    backend = await startBackend();
    gateway = await startGateway({
      BACKEND_HOST: backend.url,
      SIGNER_TYP: 'at+jwt',
      VALIDATOR_PROPAGATE_CLAIMS: 'client_id:x-client,https://a.test/t:x-tenant',
      BACKEND_INPUT_HEADERS: 'x-client,x_tenant,x-free',
    });
    await backend.answer('/user/1.json', { body: {} });
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });
  const token = () => call(`${gateway.url}/token`, { method: 'POST' });

  it('signs what keeps the profile, and accepts it', async () => {
    await backend.answer('/token.json', { body: { access_token: COMPLETE, refresh_token: {} } });
    const access = String((await token()).json.access_token);
    expect(part(access, 0).typ).toBe('at+jwt');
    expect(Object.keys(part(access, 1)).sort()).toEqual(
      ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'roles', 'sub'].sort(),
    );
    expect((await callWith(`${gateway.url}/private/custom`, access)).status).toBe(200);
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it('refuses to sign what lacks a claim, and names it', async () => {
    // iss and aud are added where they are absent.
    for (const name of ['sub', 'client_id']) {
      await backend.answer('/token.json', {
        body: { access_token: { ...COMPLETE, [name]: undefined } },
      });
      const answer = await token();
      expectError(answer, 502, 'sign_target_invalid', 'server_error');
      expect(answer.json.error_description).toBe(
        `field 'access_token' is signed as at+jwt and lacks: ${name}`,
      );
    }
  });

  it('gives the backend the claims that the environment names, and only them', async () => {
    const claims = { ...COMPLETE, 'https://a.test/t': 'tenant:1' };
    await backend.answer('/token.json', { body: { access_token: claims } });
    const forged = { 'x-client': 'forged', X_Tenant: 'forged', 'x-free': 'free' };
    await call(`${gateway.url}/token`, { method: 'POST', headers: forged });
    const { headers } = backend.seen.at(-1) ?? { headers: {} };
    expect(headers).toMatchObject({ 'x-free': 'free' });
    expect(Object.keys(headers)).not.toContain('x-client');
    expect(Object.keys(headers)).not.toContain('x_tenant');
    const access = String((await token()).json.access_token);
    await call(`${gateway.url}/private/custom`, {
      headers: { ...forged, authorization: `Bearer ${access}` },
    });
    expect(backend.seen.at(-1)?.headers).toMatchObject({
      'x-client': 'c',
      'x-tenant': 'tenant:1',
      'x-free': 'free',
    });
    expect(JSON.stringify(backend.seen.at(-1)?.headers)).not.toContain('forged');
  });
});
